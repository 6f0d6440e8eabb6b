package manifest

import (
	"context"
	"runtime"
	"sync"
)

// pipeline decodes pieces in parallel and collects the results in the order of
// the pieces. Its queues are bounded, so a fast reader waits.
type pipeline struct {
	ctx     context.Context
	work    chan *batch
	ordered chan *batch
	open    *batch
	workers sync.WaitGroup
	want    wanted
	schemas *schemas
	memo    *Memo
	// progress is told how many pieces were decoded, or nil. It is set before the first one
	// is sent.
	progress func(objects int)
	// collected is closed when total is complete.
	collected chan struct{}
	total     outcome
}

func startPipeline(ctx context.Context, want wanted, memo *Memo) *pipeline {
	n := runtime.GOMAXPROCS(0)
	p := &pipeline{
		ctx:       ctx,
		work:      make(chan *batch, n),
		ordered:   make(chan *batch, 4*n),
		collected: make(chan struct{}),
		want:      want,
		schemas:   memo.schemasOf(),
		memo:      memo,
	}
	for range n {
		p.workers.Go(p.decode)
	}
	go p.collect()
	return p
}

// send passes on a copy of the piece's text.
func (p *pipeline) send(in *list, c piece) {
	if p.open != nil && (p.open.list != in || len(p.open.arena)+len(c.text) > batchSize) {
		p.flush()
	}
	if p.open == nil {
		p.open = &batch{list: in, done: make(chan struct{}), arena: make([]byte, 0, max(batchSize, len(c.text)))}
	}
	b := p.open
	from := len(b.arena)
	b.arena = append(b.arena, c.text...)
	c.text = b.arena[from:len(b.arena):len(b.arena)]
	b.pieces = append(b.pieces, c)
	b.count++
}

func (p *pipeline) flush() {
	if b := p.open; b != nil {
		p.open = nil
		p.work <- b
		p.ordered <- b
	}
}

// end marks that all items of the list were sent and its fields are set.
func (p *pipeline) end(l *list) {
	p.flush()
	b := &batch{list: l, ends: true, done: make(chan struct{})}
	close(b.done)
	p.ordered <- b
}

// wait returns the results of everything that was sent.
func (p *pipeline) wait() outcome {
	p.flush()
	close(p.work)
	close(p.ordered)
	p.workers.Wait()
	<-p.collected
	return p.total
}

func (p *pipeline) decode() {
	d := newDecoder(p.schemas)
	d.wanted = p.want
	for b := range p.work {
		if p.ctx.Err() == nil {
			for i := range b.pieces {
				p.memo.decode(d, &b.out, &b.pieces[i])
			}
		}
		b.pieces, b.arena = nil, nil
		close(b.done)
	}
}

func (p *pipeline) collect() {
	defer close(p.collected)
	d := newDecoder(p.schemas)
	d.wanted = p.want
	pieces := 0
	for b := range p.ordered {
		<-b.done
		if pieces += b.count; p.progress != nil && b.count > 0 {
			p.progress(pieces)
		}
		switch {
		case b.list == nil:
			p.total.add(&b.out)
		case b.ends:
			p.total.add(b.list.resolve(d))
		default:
			b.list.items.add(&b.out)
		}
	}
}

// resolve returns the result of the list, once its type is known.
func (l *list) resolve(d *decoder) *outcome {
	if l.drop {
		return &outcome{}
	}
	out := &l.items
	if (l.mustFallBack || out.unread) && l.document != nil {
		whole := outcome{}
		d.piece(&whole, &piece{text: l.document, file: l.file, line: l.line, yaml: true})
		if !whole.unread || l.mustFallBack {
			return &whole
		}
	}
	for _, p := range out.pending {
		p.list, p.resolved = l.meta.element(), true
		d.piece(out, &p)
	}
	out.pending = nil
	return out
}
