using GrayMQ.NameServer.Gray.Progress;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.NameServer.Routes;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Gray.Commands;

/// <summary>Finds out what a command is held against: from the routes, and by asking every master that is registered.</summary>
internal sealed class GrayFactFinder(RouteTable routes, GrayBrokers brokers, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    private readonly RemotingClient _client =
        new(RemotingClientOptions.Default with { ConnectTimeout = AnswerTimeout }, new RequestTable(), time, loggers);

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    public async Task<GrayFacts> FindAsync(GrayView? view, GrayCommand command, string by)
    {
        BrokerData[] masters = Masters();
        return new GrayFacts
        {
            NowMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            By = by,
            Registered = [.. masters.Select(master => master.BrokerName)],
            Aware = brokers.Names.Union(view?.Brokers ?? [], StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal),
            Queues = command.Topic is null ? [] : routes.ListQueues(command.Topic),
            IsSystemTopic = command.Topic is not null && routes.ListSystemTopics().Topics.Contains(command.Topic, StringComparer.Ordinal),
            Group = command.Group is not null && GrayCommands.NeedsGroup(command)
                ? await AskAsync(masters, command).ConfigureAwait(false)
                : null,
        };
    }

    private BrokerData[] Masters() =>
        [.. routes.DescribeClusters().BrokerAddrTable.Values.Where(broker => broker.BrokerAddrs.ContainsKey(BrokerData.MasterId))];

    private async Task<GroupFacts> AskAsync(BrokerData[] masters, GrayCommand command)
    {
        var asked = await Task.WhenAll(masters.Select(master => AskAsync(master, command))).ConfigureAwait(false);
        return new GroupFacts
        {
            Exists = asked.Any(answer => answer.Exists),
            Clients = asked.SelectMany(answer => answer.Clients).ToHashSet(StringComparer.Ordinal),
            GrayClients = asked.SelectMany(answer => answer.Status.Clients)
                .Where(client => client.Gray && client.Group == command.Group && client.Producer == command.Producer)
                .Select(client => client.ClientId)
                .ToHashSet(StringComparer.Ordinal),
            Subscriptions = [.. asked.SelectMany(answer => answer.Status.Subscriptions).Where(of => of.Group == command.Group)],
            Silent = [.. asked.Select(answer => answer.Silence).OfType<string>()],
        };
    }

    private async Task<BrokerAnswer> AskAsync(BrokerData master, GrayCommand command)
    {
        string address = master.BrokerAddrs[BrokerData.MasterId];
        string group = command.Group!;
        try
        {
            IEnumerable<Connection> connected = command.Producer
                ? (await FindAsync<GetProducerConnectionListHeader, ProducerConnection>(
                    address, RequestCode.GetProducerConnectionList, new() { ProducerGroup = group }).ConfigureAwait(false))?.ConnectionSet ?? []
                : (await FindAsync<GetConsumerConnectionListHeader, ConsumerConnection>(
                    address, RequestCode.GetConsumerConnectionList, new() { ConsumerGroup = group }).ConfigureAwait(false))?.ConnectionSet ?? [];
            string[] clients = [.. connected.Select(client => client.ClientId).OfType<string>()];
            BrokerGrayStatus? status = await FindAsync<GetBrokerGrayStatusHeader, BrokerGrayStatus>(
                address, RequestCode.GetBrokerGrayStatus, new() { Group = group }).ConfigureAwait(false);

            // Not by RocketMQ's request for its configuration: that makes the group, where brokers make those that they see first.
            bool exists = clients.Length > 0 || (!command.Producer && status is { KnowsGroup: true });
            return new BrokerAnswer(
                exists,
                clients,
                status ?? new BrokerGrayStatus(),
                status is null ? $"broker {master.BrokerName} does not tell who is gray" : null);
        }
        catch (Exception e) when (e is IOException or TimeoutException or BodyFormatException)
        {
            return new BrokerAnswer(false, [], new BrokerGrayStatus(), $"broker {master.BrokerName} at {address} does not answer: {e.Message}");
        }
    }

    // A refusal says that there is no such group, or nobody connected: which is an answer.
    private async Task<TBody?> FindAsync<THeader, TBody>(string address, RequestCode code, THeader header)
        where THeader : IHeaderFields
        where TBody : class
    {
        RemotingCommand answer = await _client.InvokeAsync(address, code, header, default, AnswerTimeout).ConfigureAwait(false);
        return answer.ResponseCode == ResponseCode.Success && !answer.Body.IsEmpty ? BodyCodec.Decode<TBody>(answer.Body) : null;
    }

    /// <param name="Silence">Why it is not all that there is to know; null when it is.</param>
    private sealed record BrokerAnswer(bool Exists, IReadOnlyList<string> Clients, BrokerGrayStatus Status, string? Silence);
}
