// Package vethtest runs the programs of pods' interfaces on packets that tests write, by
// BPF_PROG_TEST_RUN: real programs and real maps, without interfaces.
package vethtest
