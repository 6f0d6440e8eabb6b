package uml

import "time"

// Config is what to run inside.
type Config struct {
	// Modules are loaded before anything runs, each with those it depends on.
	// Others are loaded when the kernel asks for them.
	Modules []string
	// Args are the arguments of the test binary.
	Args []string
	// Memory is in mebibytes; 0 is 768.
	Memory int
}

// Result is how it went.
type Result struct {
	// Code is the exit status of the binary inside.
	Code int
	// Ready is how long the kernel took to start and to load its modules, and
	// Took how long the binary ran.
	Ready, Took time.Duration
	// Output is all that was printed, the kernel's messages among it.
	Output string
	// Files are those that the binary left in OutDir.
	Files map[string][]byte
}

// OutDir is where, inside, files can be left for the outside.
const OutDir = "/run/planec-uml"

// Names in that directory.
const (
	configFile = "uml-config.json"
	resultFile = "uml-result.json"
)

// settings is what the outside tells init.
type settings struct {
	Config
	Binary    string
	ModuleDir string
}

// ending is what init tells the outside.
type ending struct {
	Code     int
	Took     time.Duration
	Problems []string
}

// dirVariable names the shared directory, as a path of the machine; the kernel
// gives its init the settings of its command line that it does not know.
const dirVariable = "PLANEC_UML_DIR"

// insideVariable is set for everything that runs inside.
const insideVariable = "PLANEC_UML_INSIDE"
