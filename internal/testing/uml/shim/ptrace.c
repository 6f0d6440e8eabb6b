// A process's registers, as large as this machine's processor has them.
//
// User Mode Linux 6.1 keeps at most 2696 bytes of extended registers, what
// AVX-512 needs (FP_SIZE in arch/x86/um). To set the registers of a processor
// that has more, as with AMX, the kernel wants all of them, and answers EFAULT
// or EINVAL to a shorter buffer. So the rest is read first and given back.
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PEEKTEXT = 1, PEEKUSER = 3, GETREGSET = 0x4204, SETREGSET = 0x4205, XSTATE = 0x202 };

static long set_all(long pid, const struct iovec *some)
{
	static char all[1 << 16] __attribute__((aligned(64)));
	struct iovec whole = {all, sizeof all};

	if (syscall(SYS_ptrace, GETREGSET, pid, XSTATE, &whole) < 0)
		return -1;
	if (some->iov_len >= whole.iov_len) {
		errno = EINVAL;
		return -1;
	}
	memcpy(all, some->iov_base, some->iov_len);
	return syscall(SYS_ptrace, SETREGSET, pid, XSTATE, &whole);
}

long ptrace(int request, ...)
{
	va_list args;
	va_start(args, request);
	long pid = va_arg(args, int);
	long addr = va_arg(args, long);
	void *data = va_arg(args, void *);
	va_end(args);

	long word, result;
	if (request >= PEEKTEXT && request <= PEEKUSER) { // the C library returns what was read
		result = syscall(SYS_ptrace, request, pid, addr, &word);
		if (result < 0)
			return result;
		errno = 0;
		return word;
	}
	result = syscall(SYS_ptrace, request, pid, addr, data);
	if (result < 0 && request == SETREGSET && addr == XSTATE && (errno == EFAULT || errno == EINVAL))
		return set_all(pid, data);
	return result;
}
