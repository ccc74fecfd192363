package provider

import "context"

// Lane lets so many requests through at a time and gives up with their context.
// A slow poll must not hold up an answer, nor a curious look either of them, so
// each gets a lane of its own.
type Lane chan struct{}

// NewLane makes a lane for so many at a time.
func NewLane(width int) Lane { return make(Lane, width) }

// Enter waits for a place and returns what leaves it; its error is the context's.
func (l Lane) Enter(ctx context.Context) (leave func(), err error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
