using System.Text;
using GrayMQ.Client.Consumers;

namespace GrayMQ.Chaos.Rolling.Own;

/// <summary>Pulls by this project's client.</summary>
internal sealed class OwnPushConsumer(LoadSettings settings, GroupRecord group, bool orderly = false) : ILoad
{
    private readonly PushConsumer _consumer = new(
        new PushConsumerOptions
        {
            NameServers = settings.NameServerList,
            Group = group.Name,
            Subscriptions = { [group.Topic] = "*" },
            ConsumeFrom = ConsumeFrom.First,
            Orderly = orderly,
            RouteRefreshInterval = settings.RoutePoll,
            OffsetCommitInterval = settings.CommitInterval,
        },
        (message, _) =>
        {
            group.Receive(Encoding.UTF8.GetString(message.Body.Span));
            return ValueTask.FromResult(ConsumeResult.Success);
        });

    public Task StartAsync() => _consumer.StartAsync();

    public Task StopAsync() => _consumer.StopAsync();

    public ValueTask DisposeAsync() => _consumer.DisposeAsync();
}
