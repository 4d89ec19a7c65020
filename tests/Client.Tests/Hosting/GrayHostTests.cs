using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Gray;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Tests.EndToEnd;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace GrayMQ.Client.Tests.Hosting;

/// <summary>Applications that take part in gray releases by their configuration, at real brokers and name servers.</summary>
public sealed class GrayHostTests
{
    private const string Group = "order-group";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Consumer_WhoseConfigurationIsReloaded_ChangesItsSideWhileItRuns(bool pops)
    {
        await using TestCluster cluster = await TestCluster.StartAsync("a");
        await cluster.CreateTopicAsync("orders", queues: 6);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["NameServers"] = cluster.NameServers,
            ["Group"] = Group,
            ["Subscriptions:orders"] = "*",
        });
        builder.Services.AddSingleton<Received>();
        builder.Services.AddGrayMQProducer(options => options.NameServers = cluster.NameServers);
        if (pops)
        {
            builder.Services.AddGrayMQPopConsumer<Relay>(builder.Configuration);
        }
        else
        {
            builder.Services.AddGrayMQConsumer<Relay>(builder.Configuration);
        }

        using IHost host = builder.Build();
        await host.StartAsync();
        await using var admin = new AdminClient(new AdminOptions { NameServers = cluster.NameServers });
        await Eventually.TrueAsync(() => OpensAsync(admin), "the group is known, and its release is open");
        await Eventually.TrueAsync(async () => await SideAsync(admin, cluster) is { Gray: false, Because: "default" }, "it is normal");

        builder.Configuration["GraySwitch"] = "true";
        builder.Configuration["GrayFlag"] = "true";
        ((IConfigurationRoot)builder.Configuration).Reload();

        await Eventually.TrueAsync(async () => await SideAsync(admin, cluster) is { Gray: true, Because: "heartbeat" }, "it is gray");
        await host.StopAsync();
    }

    [Fact]
    public async Task Handler_OfAGrayMessage_SendsGrayMessages_ThroughTwoServices()
    {
        await using TestCluster cluster = await TestCluster.StartAsync("a");
        await cluster.CreateTopicAsync("orders", queues: 4);
        await cluster.CreateTopicAsync("parcels", queues: 4);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<Received>();
        builder.Services.AddGrayMQProducer(options =>
        {
            options.NameServers = cluster.NameServers;
            options.GraySwitch = true;
        });
        builder.Services.AddGrayMQConsumer<Relay>(options => Subscribe(options, cluster, Group, "orders"));
        builder.Services.AddGrayMQConsumer<Last>(options => Subscribe(options, cluster, "parcel-group", "parcels"));
        using IHost host = builder.Build();
        await host.StartAsync();
        IProducer producer = host.Services.GetRequiredService<IProducer>();

        await producer.SendAsync(new Message("orders", "normal"u8.ToArray()));
        using (GrayContext.Enter(gray: true))
        {
            await producer.SendAsync(new Message("orders", "gray"u8.ToArray()));
        }

        var received = host.Services.GetRequiredService<Received>();
        await Eventually.TrueAsync(() => received.All.Count == 2, "both have come through");
        Assert.Equal(["gray true", "normal "], received.All.Order(StringComparer.Ordinal));
        await host.StopAsync();
    }

    private static void Subscribe(PushConsumerOptions options, TestCluster cluster, string group, string topic)
    {
        options.NameServers = cluster.NameServers;
        options.Group = group;
        options.ConsumeFrom = ConsumeFrom.First;
        options.GraySwitch = true;
        options.Subscriptions[topic] = "*";
    }

    private static async Task<bool> OpensAsync(AdminClient admin)
    {
        try
        {
            await admin.ChangeGrayStateAsync(new GrayCommand { Action = GrayAction.Open, Group = Group }, "a test");
            return true;
        }
        catch (Errors.BrokerException)
        {
            return false;
        }
    }

    private static async Task<GrayClientStatus?> SideAsync(AdminClient admin, TestCluster cluster)
    {
        BrokerGrayStatus status = await admin.GetBrokerGrayStatusAsync(cluster.AddressOf("a"), Group);
        return status.Clients.SingleOrDefault();
    }

    private sealed class Received
    {
        public ConcurrentQueue<string> All { get; } = new();
    }

    private sealed class Relay(IProducer producer) : IMessageHandler
    {
        public async ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel)
        {
            await producer.SendAsync(new Message("parcels", message.Body.ToArray()), cancel);
            return ConsumeResult.Success;
        }
    }

    private sealed class Last(Received received) : IMessageHandler
    {
        public ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel)
        {
            received.All.Enqueue($"{Encoding.UTF8.GetString(message.Body.Span)} {message.Properties.GetValueOrDefault("grayFlag")}");
            return new(ConsumeResult.Success);
        }
    }
}
