using System.Text;
using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Popping;

namespace GrayMQ.Chaos.Rolling.Own;

/// <summary>Pops by this project's client.</summary>
internal sealed class OwnPopConsumer(LoadSettings settings, GroupRecord group) : ILoad
{
    private readonly PopPushConsumer _consumer = new(
        new PopPushConsumerOptions
        {
            NameServers = settings.NameServerList,
            Group = group.Name,
            Subscriptions = { [group.Topic] = "*" },
            ConsumeFrom = ConsumeFrom.First,
            RouteRefreshInterval = settings.RoutePoll,
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
