// Package qemu runs a test binary in a kernel of a distribution, by QEMU's own processor: for what
// neither the machine's kernel nor User Mode Linux has, and for older kernels. A kernel is ready
// after some seconds, and what runs in it takes several times as long. Package guest has what is
// inside.
//
// Kernels are directories with a package of Debian's (linux-image-…) unpacked, as
// scripts/debian-kernels.sh makes them: boot/vmlinuz-VERSION and lib/modules/VERSION with depmod's
// description.
package qemu
