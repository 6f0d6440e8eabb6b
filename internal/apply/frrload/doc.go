// Package frrload gives FRR (https://frrouting.org) the configuration that planec writes: it
// replaces frr.conf, has FRR's own frr-reload.py make what runs the same, and says what differs.
//
// frr-reload.py compares what runs with the file and gives FRR the lines that differ, so that
// sessions whose neighbors are the same stay up. `vtysh -f` only adds lines, and `vtysh -b`
// reads FRR's own file alone.
//
// A frr.conf that planec did not write is never touched, and every program that is run is
// bounded in time and output.
package frrload
