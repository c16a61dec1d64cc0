package main

import (
	"time"

	"step/sandbook"
)

const (
	// How long to wait between two looks, where the service doesn't say.
	pause = 5 * time.Second
	// What is kept of the attempt's time for saying how it ended.
	margin = 2 * time.Second
)

// FrontDoor is an endpoint of Azure's.
type FrontDoor struct {
	Subscription  string `json:"subscription"`
	ResourceGroup string `json:"resource_group"`
	Profile       string `json:"profile"`
	Endpoint      string `json:"endpoint"`
}

// purge asks for it, and looks until it is done. The time is how long that took.
func (door FrontDoor) purge(context sandbook.Context, host string, paths []string) (time.Duration, error) {
	url, err := sandbook.Join("https://management.azure.com", "subscriptions", door.Subscription,
		"resourceGroups", door.ResourceGroup, "providers", "Microsoft.Cdn", "profiles", door.Profile,
		"afdEndpoints", door.Endpoint, "purge")
	if err != nil {
		return 0, err
	}
	// To purge twice is as harmless as to purge once, so that a lost answer puts nothing in doubt.
	response, err := sandbook.Post(url + "?api-version=2024-02-01").Credential("azure").Repeatable(true).
		BodyJSON(map[string][]string{"contentPaths": paths, "domains": {host}}).Checked()
	if err != nil {
		return 0, err
	}
	if response.Status != 202 {
		return 0, nil
	}
	operation := response.Header("azure-asyncoperation")
	if operation == "" {
		return 0, sandbook.Fail(sandbook.Failed, "%s answered 202 and did not say where to look", response.Asked).
			WithCode("NoOperation")
	}
	return waitFor(context, operation, response.RetryAfter())
}

// waitFor looks at an operation until it has ended, or the attempt's time is nearly up.
func waitFor(context sandbook.Context, operation string, after *time.Duration) (time.Duration, error) {
	var waited time.Duration
	for {
		span := pause
		if after != nil {
			span = max(*after, time.Second)
		}
		if sandbook.Remaining(context) < span+margin {
			return waited, sandbook.Fail(sandbook.TimedOut, "still not done after %s", waited).WithCode("StillPurging")
		}
		sandbook.Progress("Front Door: purging for %s", waited)
		sandbook.Sleep(span)
		waited += span

		response, err := sandbook.NewRequest("GET", operation).Credential("azure").Checked()
		if err != nil {
			return waited, err
		}
		var state struct {
			Status string `json:"status"`
			Error  struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := response.JSON(&state); err != nil {
			return waited, err
		}
		switch state.Status {
		case "Succeeded":
			return waited, nil
		case "Failed", "Canceled":
			return waited, sandbook.Fail(sandbook.Failed, "the purge ended as %s: %s", state.Status, state.Error.Message).
				WithCode(state.Error.Code)
		}
		after = response.RetryAfter()
	}
}
