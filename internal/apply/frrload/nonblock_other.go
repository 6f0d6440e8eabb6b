//go:build !linux

package frrload

const nonblock = 0
