package main

import (
	"cmp"
	"strings"

	"step/sandbook"
)

// purgeCloudflare drops pages by their URLs, and what begins alike by its prefix. The answer comes when it is done.
func purgeCloudflare(zone, host string, paths []string) error {
	url, err := sandbook.Join("https://api.cloudflare.com/client/v4", "zones", zone, "purge_cache")
	if err != nil {
		return err
	}
	var files, prefixes []string
	for _, path := range paths {
		if prefix, isPrefix := strings.CutSuffix(path, "*"); isPrefix {
			prefixes = append(prefixes, host+prefix)
		} else {
			files = append(files, "https://"+host+path)
		}
	}
	// Cloudflare takes one of them a request.
	var held error
	if len(files) > 0 {
		if held = purgeWhat(url, "files", files); held != nil && !sandbook.IsHeldBack(held) {
			return held
		}
	}
	if len(prefixes) > 0 {
		return cmp.Or(purgeWhat(url, "prefixes", prefixes), held)
	}
	return held
}

func purgeWhat(url, what string, values []string) error {
	response, err := sandbook.Post(url).Credential("cloudflare").Repeatable(true).
		BodyJSON(map[string][]string{what: values}).Checked()
	if err != nil {
		return err
	}
	var answer struct {
		Success bool `json:"success"`
	}
	if err := response.JSON(&answer); err != nil {
		return err
	}
	if !answer.Success {
		return sandbook.Fail(sandbook.Failed, "%s was not done", response.Asked).WithCode("NotPurged")
	}
	return nil
}
