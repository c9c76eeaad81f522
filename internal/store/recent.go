package store

import (
	"container/list"
	"sync"

	"chartcode/internal/coding"
)

// recentItems keeps the items that this process read or changed last, in memory
// alone, so that the next act on one needs not read it: who codes an item does a
// dozen acts on it, and its notes, which are most of what is read, stay the same.
// What is kept may be out of date; a write that rests on it compares (sqlDecide).
// It is safe for use by several goroutines. The records are shared: nobody changes
// what they point to.
type recentItems struct {
	mu    sync.Mutex
	size  int        // of all, in bytes, about
	order *list.List // of *recentItem, the latest used first
	items map[int64]*list.Element
}

type recentItem struct {
	record coding.ItemRecord
	size   int
}

const (
	recentRoom = 32 << 20 // bytes, about
	recentMost = recentRoom / 8
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
	c.order.MoveToFront(e)
	return e.Value.(*recentItem).record, true
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
	c.items[r.Head.ID] = c.order.PushFront(&recentItem{r, size})
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

// sizeOf is about how many bytes a record takes: its texts, and what usual
// suggestions, candidates and decisions take.
func sizeOf(r coding.ItemRecord) int {
	size := 4<<10 + len(r.Decisions)<<9
	for _, n := range r.Notes {
		size += len(n.Note.Text)
		if n.Set != nil {
			size += len(n.Set.Suggestions)<<10 + len(n.Set.Candidates)<<9
		}
	}
	return size
}
