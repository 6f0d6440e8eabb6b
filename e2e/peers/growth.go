package peers

import "math"

// Point is a figure at a size.
type Point struct{ Size, Value float64 }

// Exponent is the e of value = c × size^e, by least squares of the logarithms. It is not
// there (false) with fewer than two points.
func Exponent(points []Point) (float64, bool) {
	var n, sx, sy, sxx, sxy float64
	for _, p := range points {
		if p.Size <= 0 || p.Value <= 0 {
			continue
		}
		x, y := math.Log(p.Size), math.Log(p.Value)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	d := n*sxx - sx*sx
	if n < 2 || d <= 0 {
		return 0, false
	}
	return (n*sxy - sx*sy) / d, true
}
