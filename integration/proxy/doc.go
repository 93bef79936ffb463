// Package proxy stands before the API that a connector speaks to. It hands requests on, and can write down the answers of an account once
// (Options.Record), give them again without the account (Options.Replay), and let answers go wrong in ways that happen (Proxy.Strike).
//
// A connector reaches the API through it in one of two ways, and every proxy offers both:
//
//   - Reverse: the proxy's URL stands in the connector's configuration, where the API's would, which is Options.Target. Links to the target
//     in headers and in bodies of text are turned into links to the proxy.
//   - Forwarding: the connector runs with the environment of Proxy.Env, and asks the API under its own name. HTTPS is opened with
//     certificates that an authority signs which exists as long as the proxy. With a Target, all requests go there, whatever host they name.
//
// Which of the two a connector needs depends on whether its configuration has a base URL. Programs in Go, C (curl), Python (requests, httpx)
// and Node find what they need in the environment. Programs in Go send nothing that is for localhost or 127.0.0.1 to a proxy. Java reads
// none of these variables: it wants a trust store and its own properties,
//
//	keytool -importcert -noprompt -alias proxy -file CAFile -keystore trust.p12 -storepass changeit
//	JAVA_TOOL_OPTIONS="-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=PORT \
//	  -Djavax.net.ssl.trustStore=trust.p12 -Djavax.net.ssl.trustStorePassword=changeit"
//
// Answers are passed on as they come and never held as a whole. Requests are: they are small, and have to be told from one another.
package proxy
