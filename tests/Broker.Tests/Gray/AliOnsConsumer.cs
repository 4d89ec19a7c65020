using System.Collections.Concurrent;
using GrayMQ.Compatibility.Tests.AliOns;

namespace GrayMQ.Broker.Gray;

/// <summary>A push consumer of ali-ons, in a Node.js process of its own.</summary>
internal sealed class AliOnsConsumer : IScenarioConsumer, IAsyncDisposable
{
    private readonly AliOnsClient _client;
    private readonly Task _following;

    private AliOnsConsumer(AliOnsClient client)
    {
        _client = client;
        _following = client.FollowAsync(message => Consumed.Enqueue($"{message.Topic}:{message.Body}"));
    }

    /// <inheritdoc/>
    public ConcurrentQueue<string> Consumed { get; } = new();

    /// <inheritdoc/>
    public Exception? Failure => _following.Exception;

    public static async Task<AliOnsConsumer> StartAsync(
        AliOnsPackage package, string nameServer, string id, string group, (string Topic, string Tags)[] subscriptions) =>
        new(await AliOnsClient.StartConsumerAsync(package, nameServer, group, id, subscriptions));

    /// <summary>Whether it has its share of the queues, and no more; with more members than queues some have none.</summary>
    public bool IsAmong(int members) => (_client.Queues.Count > 0 || members > GrayFixture.Queues)
        && _client.Queues.Count <= (GrayFixture.Queues + members - 1) / members;

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _following;
    }
}
