using System.Net;
using GrayMQ.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.Hosting.Tests.Http;

public class PostGuardTests
{
    [Fact]
    public void Guard_FromABrowserOrFromAfar_RefusesWithoutAToken()
    {
        var request = new DefaultHttpContext().Request;
        Assert.Null(new PostGuard("", IPAddress.Loopback).Refuse(request));
        Assert.Equal(403, new PostGuard("", IPAddress.Any).Refuse(request)!.Value.Status);

        request.Headers.Origin = "http://somewhere.example";
        Assert.Equal(403, new PostGuard("", IPAddress.Loopback).Refuse(request)!.Value.Status);
    }
}
