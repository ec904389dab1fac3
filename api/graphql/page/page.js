"use strict";

// Asks the ledger that served this page, as the role whose token is in the field; the token stays in this tab.
(async () => {
  const KEPT_AS = "p2c-token";
  const field = document.getElementById("token");
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  const example = await (await fetch("graphql/page/example.graphql")).text();
  const asked = new URLSearchParams(window.location.search).get("q");

  function show(token) {
    const url = new URL("graphql", document.baseURI);
    const live = new URL(url);
    live.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const who = token ? { Authorization: `Bearer ${token}` } : {};
    const fetcher = GraphiQL.createFetcher({
      url: url.href,
      subscriptionUrl: live.href,
      headers: who,
      wsConnectionParams: who,
    });
    // Another role may see another schema: a new key makes everything anew.
    root.render(
      React.createElement(GraphiQL, {
        key: token,
        fetcher,
        defaultQuery: example,
        query: asked ?? undefined,
        isHeadersEditorEnabled: false,
        inputValueDeprecation: true,
      }),
    );
  }

  document.getElementById("who").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = field.value.trim();
    sessionStorage.setItem(KEPT_AS, token);
    show(token);
  });

  field.value = sessionStorage.getItem(KEPT_AS) ?? "";
  show(field.value);
})();
