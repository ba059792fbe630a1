"""The browser face: the HTTP API and the review page. What they show and decide is the matter of `review`."""
