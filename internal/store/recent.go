package store

import (
	"container/list"
	"sync"
	"time"

	"chartcode/internal/coding"
)

// recentItems keeps the items that this process read or changed last, in memory
// alone, so that the next act on one needs not read it: who codes an item does a
// dozen acts on it, and its notes, which are most of what is read, stay the same.
// What is kept may be out of date; a write that rests on it compares (sqlDecide).
// What nobody worked on for recentFor is forgotten: notes stay no longer in memory
// than they are of use. It is safe for use by several goroutines. The records are
// shared: nobody changes what they point to.
type recentItems struct {
	mu    sync.Mutex
	size  int        // of all, in bytes, about
	order *list.List // of *recentItem, the latest used first
	items map[int64]*list.Element
	sweep *time.Timer // nil: nothing is kept
}

type recentItem struct {
	record coding.ItemRecord
	size   int
	used   time.Time
}

const (
	recentRoom = 32 << 20 // bytes, about
	recentMost = recentRoom / 8
	recentFor  = 15 * time.Minute
)

func newRecentItems() *recentItems {
	return &recentItems{order: list.New(), items: map[int64]*list.Element{}}
}

// get gives an item as it was last seen here.
func (c *recentItems) get(id int64) (r coding.ItemRecord, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, found := c.items[id]
	if !found {
		return r, false
	}
	it := e.Value.(*recentItem)
	if time.Since(it.used) > recentFor {
		c.remove(e)
		return r, false
	}
	it.used = time.Now()
	c.order.MoveToFront(e)
	return it.record, true
}

// put keeps an item, unless a later state of it is here or nobody works on it.
func (c *recentItems) put(r coding.ItemRecord) {
	r.Events, r.Done = nil, nil
	size := sizeOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[r.Head.ID]; ok {
		if e.Value.(*recentItem).record.Head.Version > r.Head.Version {
			return
		}
		c.remove(e)
	}
	if r.Head.State != coding.ItemClaimed && r.Head.State != coding.ItemOpen || size > recentMost {
		return
	}
	c.items[r.Head.ID] = c.order.PushFront(&recentItem{r, size, time.Now()})
	if c.sweep == nil {
		c.sweep = time.AfterFunc(recentFor, c.forget)
	}
	for c.size += size; c.size > recentRoom; {
		c.remove(c.order.Back())
	}
}

// drop forgets an item.
func (c *recentItems) drop(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[id]; ok {
		c.remove(e)
	}
}

func (c *recentItems) remove(e *list.Element) {
	it := c.order.Remove(e).(*recentItem)
	c.size -= it.size
	delete(c.items, it.record.Head.ID)
}

// forget drops what was not used for recentFor, and comes again while something is kept.
func (c *recentItems) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sweep == nil { // closed meanwhile
		return
	}
	for e := c.order.Back(); e != nil && time.Since(e.Value.(*recentItem).used) >= recentFor; e = c.order.Back() {
		c.remove(e)
	}
	if c.sweep = nil; c.order.Len() > 0 {
		c.sweep = time.AfterFunc(recentFor, c.forget)
	}
}

// close forgets all.
func (c *recentItems) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sweep != nil {
		c.sweep.Stop()
		c.sweep = nil
	}
	c.order.Init()
	clear(c.items)
	c.size = 0
}

// sizeOf is about how many bytes a record takes: its texts, and what usual
// suggestions, candidates and decisions take beside them.
func sizeOf(r coding.ItemRecord) int {
	size := 4 << 10
	for _, n := range r.Notes {
		size += len(n.Note.Text)
		if n.Set != nil {
			size += len(n.Set.Suggestions)<<10 + len(n.Set.Candidates)<<9
		}
	}
	for i := range r.Decisions {
		d := &r.Decisions[i]
		size += 512 + len(d.Order)<<5 + len(d.Reason)
		for _, e := range d.Evidence {
			size += 96 + len(e.Text)
		}
		if d.Remark != nil {
			size += len(*d.Remark)
		}
	}
	for i := range r.Queries {
		size += 256 + len(r.Queries[i].Text) + len(r.Queries[i].Answer)
	}
	return size + len(r.Checks)<<12
}
