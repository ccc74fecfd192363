// Package network owns noticing that this machine is on another network than a
// moment ago: the connections of the old one are dead, whatever they look like.
package network

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"
)

// Watch calls changed after the addresses of this machine have become others,
// until ctx ends. It looks every so often, which works on every system and costs
// less than a poll does.
func Watch(ctx context.Context, every time.Duration, changed func()) {
	watch(ctx, every, addresses, changed)
}

func watch(ctx context.Context, every time.Duration, look func() (string, error), changed func()) {
	clock := time.NewTicker(every)
	defer clock.Stop()
	before, err := look()
	known := err == nil
	for {
		select {
		case <-clock.C:
		case <-ctx.Done():
			return
		}
		now, err := look()
		if err != nil {
			continue // not known is not changed
		}
		if known && now != before {
			changed()
		}
		before, known = now, true
	}
}

// addresses are where this machine can be reached from outside. Temporary ones
// of IPv6 come and go by themselves, so only their networks count.
func addresses() (string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	var outside []string
	for _, one := range all {
		if at, is := one.(*net.IPNet); is && !at.IP.IsLoopback() && !at.IP.IsLinkLocalUnicast() {
			if at.IP.To4() == nil {
				one = &net.IPNet{IP: at.IP.Mask(at.Mask), Mask: at.Mask}
			}
			outside = append(outside, one.String())
		}
	}
	slices.Sort(outside)
	return strings.Join(slices.Compact(outside), " "), nil
}
