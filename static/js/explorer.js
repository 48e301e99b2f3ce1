// Shows the API's description in Swagger UI. The token one authorizes with stays in this page's memory.
addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("explorer");
  window.SwaggerUIBundle({
    url: place.dataset.description,
    domNode: place,
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: false,
    tryItOutEnabled: true,
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    requestInterceptor: (request) => ({ ...request, credentials: "omit" }),
  });
});
