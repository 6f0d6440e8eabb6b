package vethtest

import "time"

// Cost is the time of one run of from_pod on a packet, by the kernel's own measure of many runs.
func (h *Hooks) Cost(data []byte) (time.Duration, error) {
	const runs = 200000
	_, each, err := h.collection.Programs["from_pod"].Benchmark(data, runs, nil)
	return each, err
}
