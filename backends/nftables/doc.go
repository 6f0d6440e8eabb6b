// Package nftables emits rules.nft.
package nftables
