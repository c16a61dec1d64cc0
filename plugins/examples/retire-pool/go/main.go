// Takes a pool out of a load balancer: the step of docs/plugin.md.
package main

import (
	"fmt"
	"time"

	"step/sandbook"
)

// Between two looks.
const pause = 5 * time.Second

type Input struct {
	Pool string `json:"pool"`
}

type Pool struct {
	Connections int  `json:"connections"`
	Locked      bool `json:"locked"`
}

type Output struct {
	Connections int `json:"connections"`
}

func run(context sandbook.Context, input Input) (*sandbook.Done, error) {
	url, err := sandbook.Join("https://lb.example.com/v1/pools", input.Pool)
	if err != nil {
		return nil, err
	}
	found, err := sandbook.Get(url).Credential("api").Send()
	if err != nil {
		return nil, err
	}
	if found.Status == 404 {
		return &sandbook.Done{Data: Output{}, Summary: input.Pool + " is gone already"}, nil
	}

	var pool Pool
	if found.Status != 200 {
		return nil, found.Failure()
	}
	if err := found.JSON(&pool); err != nil {
		return nil, err
	}
	if pool.Locked {
		return nil, sandbook.Fail(sandbook.Conflict, "%s is locked: unlock it first", input.Pool).WithCode("PoolLocked")
	}

	// What is held back in a dry run isn't waited for; what comes after it is asked for, to be listed.
	if err := drain(context, url); err != nil && !sandbook.IsHeldBack(err) {
		return nil, err
	}
	if _, err := sandbook.Delete(url).Credential("api").Checked(); err != nil {
		return nil, err
	}
	return &sandbook.Done{
		Data:    Output{Connections: pool.Connections},
		Changed: true,
		Summary: "retired " + input.Pool,
	}, nil
}

func drain(context sandbook.Context, url string) error {
	_, err := sandbook.Post(url + "/drain").
		Credential("api").
		Repeatable(true).
		BodyJSON(map[string]string{"reason": "run " + context.Run}).
		Checked()
	if err != nil {
		return err
	}

	for {
		var pool Pool
		if err := sandbook.Get(url).Credential("api").JSON(&pool); err != nil || pool.Connections == 0 {
			return err
		}
		open := fmt.Sprintf("%d connections are still open", pool.Connections)
		if sandbook.Remaining(context) < 2*pause {
			return sandbook.Fail(sandbook.TimedOut, "%s", open).WithCode("StillDraining")
		}
		sandbook.Progress("%s", open)
		sandbook.Sleep(pause)
	}
}

func init() {
	sandbook.Step(run)
}

func main() {}
