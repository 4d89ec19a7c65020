using GrayMQ.NameServer.Lifecycle;
using GrayMQ.NameServer.Returns;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.NameServer.Tests;

public class NameServerLifecycleTests
{
    [Fact]
    public void Stages_InTheirOrder_SayWhoIsServedAndWhetherItIsChosen()
    {
        var time = new ManualTime();
        var options = new LiveOptions(NameServerOptions.From(NameServerSettings.Catalogue().Load(new SettingsSources()).GetOrThrow()));
        using KnownBrokers nobody = KnownBrokers.Open(
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), options, time, NullLogger.Instance);
        var lifecycle = new NameServerLifecycle(nobody, options, time);

        Assert.Equal((false, false, "its port is closed yet"), Now());
        lifecycle.Serve();
        Assert.Equal((true, false, null), Now());
        lifecycle.Leave();
        Assert.Equal((true, true, "it is to stop"), Now());
        lifecycle.Stop();
        Assert.Equal((false, true, "it is to stop"), Now());

        (bool Accepting, bool Leaving, string? NotReady) Now() => (lifecycle.IsAccepting, lifecycle.IsLeaving, lifecycle.NotReadyBecause);
    }
}
