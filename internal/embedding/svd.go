package embedding

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// sparse is a matrix by rows: row i has columns col[first[i]:first[i+1]].
type sparse struct {
	rows, cols int
	first      []int
	col        []int32
	val        []float32
}

// dense is a matrix by rows.
type dense struct {
	rows, cols int
	v          []float32
}

func newDense(rows, cols int) *dense { return &dense{rows, cols, make([]float32, rows*cols)} }

func (d *dense) row(i int) []float32 { return d.v[i*d.cols : (i+1)*d.cols] }

// blocks runs f over [0,n) cut into equal stretches, one a processor.
func blocks(n int, f func(from, to int)) {
	k := max(1, min(n, runtime.GOMAXPROCS(0)))
	var wg sync.WaitGroup
	for b := range k {
		wg.Go(func() { f(b*n/k, (b+1)*n/k) })
	}
	wg.Wait()
}

// times is a·x.
func (a *sparse) times(x *dense) *dense {
	y := newDense(a.rows, x.cols)
	blocks(a.rows, func(from, to int) {
		for i := from; i < to; i++ {
			out := y.row(i)
			for k := a.first[i]; k < a.first[i+1]; k++ {
				axpy(a.val[k], x.row(int(a.col[k])), out)
			}
		}
	})
	return y
}

// transposed gives the matrix by columns.
func (a *sparse) transposed() *sparse {
	t := &sparse{rows: a.cols, cols: a.rows, first: make([]int, a.cols+1), col: make([]int32, len(a.col)), val: make([]float32, len(a.val))}
	for _, c := range a.col {
		t.first[c+1]++
	}
	for i := range a.cols {
		t.first[i+1] += t.first[i]
	}
	next := append([]int(nil), t.first...)
	for i := range a.rows {
		for k := a.first[i]; k < a.first[i+1]; k++ {
			c := a.col[k]
			t.col[next[c]], t.val[next[c]] = int32(i), a.val[k]
			next[c]++
		}
	}
	return t
}

func axpy(a float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += a * v
	}
}

func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return a + b + c + d
}

// gram is xᵀ·x in double precision.
func gram(x *dense) [][]float64 {
	n := x.cols
	var mu sync.Mutex
	sum := square(n)
	blocks(x.rows, func(from, to int) {
		part := square(n)
		for i := from; i < to; i++ {
			r := x.row(i)
			for a, va := range r {
				if va == 0 {
					continue
				}
				p := part[a]
				for b := a; b < n; b++ {
					p[b] += float64(va * r[b])
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for a := range n {
			for b := a; b < n; b++ {
				sum[a][b] += part[a][b]
			}
		}
	})
	for a := range n {
		for b := range a {
			sum[a][b] = sum[b][a]
		}
	}
	return sum
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// eigen gives the eigenvalues of the symmetric matrix a, largest first, and
// the eigenvectors as rows, by Jacobi's rotations. a is destroyed.
func eigen(a [][]float64) (values []float64, vectors [][]float64) {
	n := len(a)
	v := square(n)
	for i := range v {
		v[i][i] = 1
	}
	for range 30 {
		off := 0.0
		for i := range n {
			for j := i + 1; j < n; j++ {
				off += a[i][j] * a[i][j]
			}
		}
		if off < 1e-18*trace2(a) {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, v, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i := 1; i < n; i++ {
		for j := i; j > 0 && a[order[j]][order[j]] > a[order[j-1]][order[j-1]]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	for _, i := range order {
		values = append(values, a[i][i])
		vectors = append(vectors, v[i])
	}
	return values, vectors
}

func trace2(a [][]float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i][i] * a[i][i]
	}
	return s
}

func rotate(a, v [][]float64, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	ap, aq := a[p], a[q]
	for k := range ap {
		x, y := ap[k], aq[k]
		ap[k], aq[k] = c*x-s*y, s*x+c*y
	}
	for k := range a {
		x, y := a[k][p], a[k][q]
		a[k][p], a[k][q] = c*x-s*y, s*x+c*y
	}
	vp, vq := v[p], v[q]
	for k := range vp {
		x, y := vp[k], vq[k]
		vp[k], vq[k] = c*x-s*y, s*x+c*y
	}
}

// project gives x·mᵀ for the rows of m, each scaled by scale.
func project(x *dense, m [][]float64, scale []float64, k int) *dense {
	y := newDense(x.rows, k)
	rows := make([][]float32, k)
	for j := range rows {
		rows[j] = make([]float32, x.cols)
		for i, v := range m[j] {
			rows[j][i] = float32(v * scale[j])
		}
	}
	blocks(x.rows, func(from, to int) {
		for i := from; i < to; i++ {
			out := y.row(i)
			for j := range rows {
				out[j] = dot(x.row(i), rows[j])
			}
		}
	})
	return y
}

// orthonormal replaces x's columns by an orthonormal basis of their span,
// through the eigenvectors of xᵀx; directions that vanish are dropped.
func orthonormal(x *dense) *dense {
	val, vec := eigen(gram(x))
	k := 0
	scale := make([]float64, len(val))
	for k < len(val) && val[k] > 1e-9*val[0] {
		scale[k] = 1 / math.Sqrt(val[k])
		k++
	}
	return project(x, vec, scale, k)
}

// leftSingular gives the k largest singular values of a and its left singular
// vectors as columns (Halko, Martinsson and Tropp 2011: random projection and
// power iterations).
func leftSingular(a *sparse, k int, seed uint64) (*dense, []float64) {
	at := a.transposed()
	rng := rand.New(rand.NewPCG(seed, 7))
	y := newDense(a.cols, k+k/8)
	for i := range y.v {
		y.v[i] = float32(rng.NormFloat64())
	}
	q := orthonormal(a.times(y))
	for range 2 {
		q = orthonormal(a.times(at.times(q)))
	}
	val, vec := eigen(gram(at.times(q)))
	k = min(k, len(val))
	one := make([]float64, len(val))
	s := make([]float64, k)
	for i := range val {
		one[i] = 1
		if i < k {
			s[i] = math.Sqrt(max(val[i], 0))
		}
	}
	return project(q, vec, one, k), s
}
