package play

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Program is the compiler in WebAssembly.
type Program struct {
	Wasm []byte // cmd/planec-wasm, compressed by gzip
	Exec []byte // wasm_exec.js of the Go toolchain that built it
}

// The names of a program's files; scripts/wasm.sh builds them.
const (
	wasmName = "planec.wasm.gz"
	execName = "wasm_exec.js"
)

// built has the program if scripts/wasm.sh ran before this build, else a README only.
//
//go:embed all:wasm
var built embed.FS

// ErrNoProgram says that this planec was built without the compiler in WebAssembly.
var ErrNoProgram = errors.New("this planec was built without its WebAssembly: build it by `make build`, or name the file with --wasm")

// Embedded returns the program in this binary, or [ErrNoProgram].
func Embedded() (Program, error) {
	below, err := fs.Sub(built, "wasm")
	if err != nil {
		return Program{}, err
	}
	p, err := read(below, wasmName)
	if errors.Is(err, fs.ErrNotExist) {
		return p, ErrNoProgram
	}
	return p, err
}

// ReadProgram returns the program in a file, which has its wasm_exec.js beside it.
func ReadProgram(file string) (Program, error) {
	return read(os.DirFS(filepath.Dir(file)), filepath.Base(file))
}

func read(dir fs.FS, name string) (p Program, err error) {
	if p.Wasm, err = fs.ReadFile(dir, name); err != nil {
		return p, fmt.Errorf("the compiler in WebAssembly: %w", err)
	}
	if p.Exec, err = fs.ReadFile(dir, execName); err != nil {
		return p, fmt.Errorf("the script that runs %s: %w", name, err)
	}
	return p, nil
}

// maxWasm bounds the size of a program, in bytes; it has 32 MB.
const maxWasm = 256 << 20

// Version returns the version that the Go toolchain wrote into the program, as
// buildinfo.Version says it of this one. It does not run the program: the line is looked
// for, because package debug/buildinfo does not read WebAssembly.
func (p Program) Version() (string, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(p.Wasm))
	if err != nil {
		return "", fmt.Errorf("the compiler in WebAssembly is not compressed by gzip: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(zipped, maxWasm))
	if err != nil {
		return "", fmt.Errorf("the compiler in WebAssembly: %w", err)
	}
	_, after, found := bytes.Cut(text, []byte("\nmod\tgithub.com/planec/planec\t"))
	version, _, ends := bytes.Cut(after[:min(len(after), 200)], []byte("\t"))
	if !bytes.HasPrefix(text, []byte("\x00asm")) || !found || !ends {
		return "", errors.New("the compiler in WebAssembly is no program of planec")
	}
	return string(bytes.TrimRight(version, "\n")), nil
}
