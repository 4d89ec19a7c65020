using GrayMQ.Broker.Lifecycle;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Registration;

public class OrderedTopicsTests
{
    [Fact]
    public async Task Register_NameServerOrdersATopic_ItKeepsItsOrderAndIsRegisteredSo()
    {
        await using var fixture = new RegistrationFixture();
        fixture.Topics.Put(new TopicConfig { TopicName = "ordered" }, new TopicConfig { TopicName = "other" });
        await using TestNameServer nameServer = await TestNameServer.StartAsync();
        nameServer.Ordered.Table["ordered"] = "broker-a:4";
        nameServer.Ordered.Table["elsewhere"] = "broker-b:4";
        await using NameServerRegistration registration = fixture.New(TimeSpan.FromSeconds(30), nameServer.Address);

        await registration.StartAsync(CancellationToken.None);

        Assert.True(fixture.Topics.Find("ordered")!.Config.Order);
        Assert.False(fixture.Topics.Find("other")!.Config.Order);
        await Eventually.TrueAsync(() => nameServer.Find("ordered")?.Order == true, "the order is to be told");
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }
}
