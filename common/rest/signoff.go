package rest

import (
	"context"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

const (
	// signOffTime is how long the ending of sessions may take, and hurriedTime when the run was stopped and the process ends soon.
	signOffTime = 15 * time.Second
	hurriedTime = 800 * time.Millisecond
)

// signOff ends the sessions that a run opened, also after a failure and when ctx has ended, and warns of one that cannot be ended.
func signOff(ctx context.Context, client *httpclient.Client) {
	hurried, patience := ctx.Err() != nil, signOffTime
	if hurried {
		patience = hurriedTime
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := client.SignOff(within, hurried); err != nil {
		protocol.Logger(ctx).Warn("A session could not be ended and stays open at the server until that ends it: " + err.Error())
	}
}
