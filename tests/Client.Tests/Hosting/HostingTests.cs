using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Producers.Transactions;
using GrayMQ.Client.Tests.EndToEnd;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace GrayMQ.Client.Tests.Hosting;

public class HostingTests
{
    [Fact]
    public async Task Host_WithProducerAndConsumers_HandlesEachMessageInAScope()
    {
        await using TestCluster cluster = await TestCluster.StartAsync("a");
        await cluster.CreateTopicAsync("orders", queues: 2);
        await cluster.CreateTopicAsync("parcels", queues: 2);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Parcels:NameServers"] = cluster.NameServers,
            ["Parcels:Group"] = "parcel-group",
            ["Parcels:ConsumeFrom"] = "First",
            ["Parcels:Subscriptions:parcels"] = "sent",
            ["Parcels:MaxConcurrency"] = "2",
        });
        builder.Services.AddSingleton<Received>();
        builder.Services.AddScoped<Scoped>();
        builder.Services.AddGrayMQProducer(options => options.NameServers = cluster.NameServers);
        builder.Services.AddGrayMQConsumer<OrderHandler>(options =>
        {
            options.NameServers = cluster.NameServers;
            options.Group = "order-group";
            options.ConsumeFrom = ConsumeFrom.First;
            options.Subscriptions["orders"] = "*";
        });
        builder.Services.AddGrayMQConsumer<ParcelHandler>(builder.Configuration.GetSection("Parcels"));
        using IHost host = builder.Build();
        await host.StartAsync();
        var received = host.Services.GetRequiredService<Received>();

        IProducer producer = host.Services.GetRequiredService<IProducer>();
        for (int i = 0; i < 5; i++)
        {
            await producer.SendAsync(new Message("orders", "o"u8.ToArray()));
            await producer.SendAsync(new Message("parcels", "p"u8.ToArray()) { Tag = i == 0 ? "lost" : "sent" });
        }

        await Eventually.TrueAsync(() => received.All.Count == 9, "all messages are handled");
        await host.StopAsync();

        Assert.Equal(5, received.All.Count(text => text.StartsWith("OrderHandler o ", StringComparison.Ordinal)));
        Assert.Equal(4, received.All.Count(text => text.StartsWith("ParcelHandler p ", StringComparison.Ordinal)));
        Assert.Equal(9, received.All.Select(text => text.Split(' ')[2]).Distinct().Count());
    }

    [Fact]
    public async Task Host_WithPopConsumerAndTransactionalProducer_HandlesWhatIsCommitted()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(
            ["transactionTimeOut=200", "transactionCheckInterval=100"], "a");
        await cluster.CreateTopicAsync("orders", queues: 2);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<Received>();
        builder.Services.AddScoped<Scoped>();
        builder.Services.AddGrayMQPopConsumer<OrderHandler>(options =>
        {
            options.NameServers = cluster.NameServers;
            options.Group = "order-group";
            options.ConsumeFrom = ConsumeFrom.First;
            options.Subscriptions["orders"] = "*";
        });
        builder.Services.AddGrayMQTransactionalProducer<Checker>(
            options =>
            {
                options.NameServers = cluster.NameServers;
                options.Group = "paying-group";
            },
            "orders");
        using IHost host = builder.Build();
        await host.StartAsync();
        var received = host.Services.GetRequiredService<Received>();

        ITransactionalProducer producer = host.Services.GetRequiredService<ITransactionalProducer>();
        foreach (TransactionOutcome outcome in Enum.GetValues<TransactionOutcome>())
        {
            byte[] body = Encoding.UTF8.GetBytes(outcome.ToString());
            await producer.SendAsync(new Message("orders", body), (_, _) => new(outcome));
        }

        await Eventually.TrueAsync(() => received.All.Count == 2, "what is committed is handled");
        await host.StopAsync();

        Assert.Equal(["Commit", "Unknown"], received.All.Select(text => text.Split(' ')[1]).Order());
    }

    [Fact]
    public async Task Host_WithWrongOptions_DoesNotStart_AndSaysAll()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddGrayMQProducer(options =>
        {
            options.NameServers = "nowhere";
            options.Retries = -1;
        });
        using IHost host = builder.Build();

        OptionsValidationException refused = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Equal(2, refused.Failures.Count());
        Assert.Contains("Retries is -1", refused.Message, StringComparison.Ordinal);
    }

    private sealed class Received
    {
        public ConcurrentQueue<string> All { get; } = new();
    }

    private sealed class Scoped
    {
        private static int _made;

        public int Number { get; } = Interlocked.Increment(ref _made);
    }

    private abstract class Recording(Received received, Scoped scoped) : IMessageHandler
    {
        public ValueTask<ConsumeResult> HandleAsync(ReceivedMessage message, CancellationToken cancel)
        {
            received.All.Enqueue($"{GetType().Name} {Encoding.UTF8.GetString(message.Body.Span)} {scoped.Number}");
            return new(ConsumeResult.Success);
        }
    }

    private sealed class OrderHandler(Received received, Scoped scoped) : Recording(received, scoped);

    private sealed class ParcelHandler(Received received, Scoped scoped) : Recording(received, scoped);

    private sealed class Checker : ITransactionChecker
    {
        public ValueTask<TransactionOutcome> CheckAsync(ReceivedMessage message, CancellationToken cancel) =>
            new(TransactionOutcome.Commit);
    }
}
