using Microsoft.AspNetCore.Http;

namespace GrayMQ.Hosting.Http;

/// <summary>What is answered under one path.</summary>
/// <param name="Changes">It changes something: it is asked for by POST, and not by everybody.</param>
/// <param name="Answer">Makes the answer.</param>
public sealed record HttpRoute(bool Changes, Func<HttpRequest, ValueTask<HttpPage>> Answer)
{
    /// <summary>A page to look at.</summary>
    public static HttpRoute Get(Func<HttpPage> page) => new(Changes: false, _ => ValueTask.FromResult(page()));

    /// <summary>Something to be done.</summary>
    public static HttpRoute Post(Func<HttpRequest, ValueTask<HttpPage>> answer) => new(Changes: true, answer);

    public bool Takes(string method) => Changes
        ? HttpMethods.IsPost(method)
        : HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    public string Methods => Changes ? "POST" : "GET, HEAD";
}
