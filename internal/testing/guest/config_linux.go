package guest

import "time"

// Config describes the run inside.
type Config struct {
	// Modules are loaded first, together with their dependencies. Other modules
	// are loaded when the kernel requests them.
	Modules []string
	// Args are the arguments of the test binary.
	Args []string
	// Dir is the working directory; "" is one for files that end with the kernel.
	Dir string
	// Memory is in MiB; 0 means 768.
	Memory int
}

// Result is the result of a run.
type Result struct {
	// Code is the exit status of the binary.
	Code int
	// Ready is the time to start the kernel and load its modules, Took the run
	// time of the binary.
	Ready, Took time.Duration
	// Output is everything that was printed, including the kernel's messages.
	Output string
	// Files maps the names of the files that the binary left in OutDir to their content.
	Files map[string][]byte
}

// OutDir is the directory inside in which the binary can leave files.
const OutDir = "/run/planec-guest"

// Names in the shared directory.
const (
	configFile = "guest-config.json"
	resultFile = "guest-result.json"
)

// DefaultMemory is in MiB.
const DefaultMemory = 768

// settings is the input of init.
type settings struct {
	Config
	Binary    string
	ModuleDir string
	// Machine is the name of the machine that runs the kernel.
	Machine string
}

// ending is the output of init.
type ending struct {
	Code     int
	Took     time.Duration
	Problems []string
}

// insideVariable is the name of the machine in all processes inside.
const insideVariable = "PLANEC_GUEST_INSIDE"
