package live

// ApplySome carries out the first steps of a plan, as a process does that is killed then. It
// returns how many the plan has.
func (p *Plan) ApplySome(n int) (all int, err error) {
	for _, stage := range p.stages {
		for _, s := range stage {
			if all++; all <= n && err == nil {
				err = s.do()
			}
		}
	}
	return all, err
}
