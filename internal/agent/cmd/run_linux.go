package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/agent/localaddr"
	"github.com/planec/planec/internal/agent/loop"
	"github.com/planec/planec/internal/agent/sysctls"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir/diag"
)

// errStarted wraps errors that occur after the flags were parsed.
var errStarted = errors.New("planec-agent")

// run runs the agent until ctx ends.
func run(ctx context.Context, o *options, stderr io.Writer) error {
	log, err := o.logger(stderr)
	if err != nil {
		return err
	}
	config, diags, err := o.read()
	if err != nil {
		return err
	}
	backend, err := o.selected(config)
	if err != nil {
		return err
	}
	diags = o.noteBackend(&config, diags)
	if o.initOnly {
		logFindings(log, aboutSettings, diags)
		return (&service{options: o, config: config, log: log}).settings()
	}
	unlock, err := lockNode(ctx, o.stateDir, log)
	if err != nil {
		return err
	}
	defer unlock()
	a := applier.New(o.planes(o.cgroup), applier.NewRecord(o.stateDir))
	a.Place = o.cgroup
	if o.cleanup {
		a.Finish = true
		return cleanup(ctx, a, o.stateDir, log)
	}
	// A node with a full disk keeps serving; only `planec rollback` lacks the record.
	a.RecordFailed = func(err error) {
		log.Warn("the kernel is right, but what was applied could not be written down", "error", err)
	}
	s := &service{options: o, config: config, settingsSaid: diags, backend: backend, applier: a, log: log, inbox: inbox.New(), started: time.Now(), isSettled: make(chan struct{})}
	if err := s.run(ctx); err != nil {
		return fmt.Errorf("%w: %w", errStarted, err)
	}
	return nil
}

// cleanup removes everything that belongs to planec.
func cleanup(ctx context.Context, a *applier.Applier, stateDir string, log *slog.Logger) error {
	removed, err := a.CleanAll(ctx)
	for _, step := range removed {
		log.Info("removed", "what", step)
	}
	if err := errors.Join(err, cleanPodRoutes(log), cleanFRR(ctx, stateDir, log)); err != nil {
		return fmt.Errorf("%w: cleaning up: %w", errStarted, err)
	}
	return nil
}

// service is the agent and its environment.
type service struct {
	options *options
	config  nodeconfig.NodeConfig
	// settingsSaid are the findings about the configuration.
	settingsSaid diag.List
	backend      backends.Backend
	applier      *applier.Applier
	log          *slog.Logger
	inbox        *inbox.Inbox
	report       *reporter
	started      time.Time
	// isSettled is closed when the rules are right for the first time.
	isSettled   chan struct{}
	settledOnce sync.Once
}

// run starts all parts, and returns when ctx ends or a part fails.
func (s *service) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	defer parts.Wait()
	part := func(name string, f func(context.Context) error) {
		parts.Go(func() {
			if err := f(ctx); err != nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	source, events, err := s.source(ctx)
	if err != nil {
		return err
	}
	s.report = newReporter(s, events)
	defer s.report.close()
	s.report.findings.set(aboutSettings, s.settingsSaid)
	if s.guarded() != nil {
		s.report.metrics.CountPackets(s.verdicts)
	}
	stop, err := s.serve()
	if err != nil {
		return err
	}
	defer stop()
	if err := s.watchAddresses(ctx); err != nil {
		return err
	}
	feeder, err := s.learn()
	if err != nil {
		return err
	}
	s.prepare()
	a, err := s.agent(ctx)
	if err != nil {
		return err
	}
	defer s.answer(a)()
	if events != nil {
		part("events", func(ctx context.Context) error { events.Run(ctx, s.log); return nil })
	}
	part("configuration", func(ctx context.Context) error { return watchFiles(ctx, s.options.settings.Files(), s.log) })
	part("network plugin", s.watchNetwork)
	part("watchdog", func(ctx context.Context) error { return s.watchdog(ctx) })
	part("source", func(ctx context.Context) error { return source.Run(ctx, s.inbox) })
	part("agent", a.Run)
	if s.options.lbIPAM {
		part("addresses of Services", s.balance)
	}
	if s.options.l2Announce {
		part("addresses on layer 2", s.announce)
	}
	if feeder != nil {
		part("answers of DNS", feeder.Run)
	}
	if s.options.frr() != nil {
		part("BGP", s.speak)
	}
	part("interfaces", s.keepInterfaces)
	part("pod routes", s.keepPodRoutes)
	s.sayNetwork()
	s.log.Info("started", "node", s.options.node, "backend", s.backend.Name(), "policies", s.options.policies)
	<-ctx.Done()
	notify(stopping)
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	s.log.Info("ended; the rules stay")
	return nil
}

// prepare sets what is the process's own.
func (s *service) prepare() {
	if s.config.BGP != "" && s.options.frr() == nil {
		s.log.Warn("bgp: no frr.conf is written without --frr-dir", "bgp", s.config.BGP)
	}
	if adj := s.config.Proxy.OOMScoreAdj; adj != nil {
		if err := os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(*adj)), 0o644); err != nil {
			s.log.Warn("the score for running out of memory stays", "error", err)
		}
	}
}

// settings sets limits and timeouts of connection tracking, and forwarding.
func (s *service) settings() error {
	written, err := sysctls.Apply("/", sysctls.Wanted(s.config.Proxy.Conntrack, s.config.Config.TCPBeLiberal, sysctls.CPUs("/")))
	for _, w := range written {
		s.log.Info("set", "setting", w)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStarted, err)
	}
	return nil
}

// begin sets the kernel's settings. A setting that cannot be set does not prevent serving.
func (s *service) begin() {
	if err := s.settings(); err != nil {
		s.log.Warn("some of the kernel's settings stay as they are", "error", err)
	}
}

// watchAddresses follows the node's own addresses, in addition to those from flags
// or a file.
func (s *service) watchAddresses(ctx context.Context) error {
	given := s.config.Config.LocalAddresses
	return localaddr.Watch(ctx, func(found []netip.Addr) {
		all := append(append([]netip.Addr{}, given...), found...)
		s.report.addresses(found)
		s.inbox.SetAddresses(all)
	}, func(err error) { s.log.Warn("watching the node's addresses", "error", err) })
}

// connections are counted on request, by a backend that can.
func (s *service) connections() *connections {
	counting := s.applier.Counting(s.backend.Name())
	if counting == nil || !s.options.countConnections {
		return nil
	}
	c := &connections{counting: counting, log: s.log}
	s.report.metrics.Connections(c.read)
	return c
}

func (s *service) agent(ctx context.Context) (*loop.Agent, error) {
	endSockets := func(stale func(service, endpoint netip.AddrPort) bool) (int, error) {
		return s.applier.EndSockets(s.backend.Name(), stale)
	}
	counted := s.connections()
	flows := &flows{keep: s.options.keepFlows, endDenied: s.options.endDenied, endSockets: endSockets, connections: counted}
	if g := s.guarded(); g != nil {
		flows.forget = g.Forget
	}
	c := loop.Config{
		Node: s.options.node, Settings: s.config.Config, Backend: s.backend, Applier: s.applier, Inbox: s.inbox,
		Flows: flows, VerifyEvery: s.options.verifyEvery,
		Observer: s.report, Log: s.log, General: dataplane.General,
	}
	if !s.options.allowEmpty {
		c.Spare = s.spare
	}
	if s.options.sysctls {
		c.Begin = s.begin
	}
	settled, notices := s.drift(ctx)
	c.Drift = notices
	taken := s.options.takeover == ""
	c.Settled = func() {
		s.settledOnce.Do(func() { close(s.isSettled) })
		for _, f := range settled {
			f()
		}
		if counted != nil {
			counted.begin()
		}
		if !taken {
			taken = s.takeOver(ctx)
		}
	}
	return loop.New(c), nil
}

func (o *options) logger(w io.Writer) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, wordUsage("log-level", o.logLevel, "debug", "info", "warn", "error")
	}
	h := &slog.HandlerOptions{Level: l}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, h)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, h)), nil
	}
	return nil, wordUsage("log-format", o.logFormat, "text", "json")
}
