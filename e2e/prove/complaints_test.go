package prove

import (
	"fmt"
	"strings"
	"sync"

	"github.com/go-logr/logr"
)

// complaints are what kube-proxy says that it failed to do. It goes on without: a virtual server that
// the kernel did not take in time is missing until the next sync, half a minute later.
type complaints struct {
	mu   sync.Mutex
	list []string
}

// take returns what was said since the last call.
func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.list
	c.list = nil
	return out
}

// Error implements logr.LogSink. What kube-proxy looks for in an empty kernel and does not
// find is an error to it too, of other words.
func (c *complaints) Error(err error, message string, values ...any) {
	if strings.HasPrefix(message, "Failed to ") {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.list = append(c.list, fmt.Sprint(message, values, err))
	}
}

// Init implements logr.LogSink.
func (c *complaints) Init(logr.RuntimeInfo) {}

// Enabled implements logr.LogSink.
func (c *complaints) Enabled(int) bool { return false }

// Info implements logr.LogSink.
func (c *complaints) Info(int, string, ...any) {}

// WithValues implements logr.LogSink.
func (c *complaints) WithValues(...any) logr.LogSink { return c }

// WithName implements logr.LogSink.
func (c *complaints) WithName(string) logr.LogSink { return c }
