// Empties two caches that stand one behind the other: first the one behind, and when that is done the one before it. The
// other way round the one before could be filled again from the old pages behind.
package main

import (
	"cmp"
	"fmt"
	"strings"

	"step/sandbook"
)

type Input struct {
	Host      string    `json:"host"`
	Paths     []string  `json:"paths"`
	FrontDoor FrontDoor `json:"front_door"`
	Zone      string    `json:"zone"`
}

type Output struct {
	Purged   []string `json:"purged"`
	WaitedMS int64    `json:"waited_ms"`
}

func run(context sandbook.Context, input Input) (*sandbook.Done, error) {
	// In a dry run both are asked, so that all that would be asked for is listed.
	waited, behind := input.FrontDoor.purge(context, input.Host, input.Paths)
	if behind != nil && !sandbook.IsHeldBack(behind) {
		return nil, fmt.Errorf("Front Door: %w", behind)
	}
	before := purgeCloudflare(input.Zone, input.Host, input.Paths)
	if before != nil && !sandbook.IsHeldBack(before) {
		return nil, fmt.Errorf("Cloudflare: %w", before)
	}
	if err := cmp.Or(behind, before); err != nil {
		return nil, err
	}
	purged := make([]string, 0, len(input.Paths))
	for _, path := range input.Paths {
		purged = append(purged, input.Host+path)
	}
	return &sandbook.Done{
		Data:    Output{Purged: purged, WaitedMS: waited.Milliseconds()},
		Changed: true,
		Summary: "purged " + strings.Join(purged, ", "),
	}, nil
}

func init() {
	sandbook.Step(run)
}

func main() {}
