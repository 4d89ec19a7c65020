using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Client.Admin;

/// <content>Settings of one broker, and the clients that are connected to it.</content>
public sealed partial class AdminClient
{
    /// <summary>A broker's effective settings, by name.</summary>
    public async Task<IReadOnlyDictionary<string, string>> GetBrokerConfigAsync(
        string address, CancellationToken cancel = default)
    {
        RemotingCommand answer =
            await CallAsync(address, RequestCode.GetBrokerConfig, default(NoHeader), cancel).ConfigureAwait(false);
        return PropertiesText.Read(Encoding.UTF8.GetString(answer.Body));
    }

    /// <summary>Changes settings of a broker that can be changed while it runs.</summary>
    /// <exception cref="ArgumentException">A name or value holds a line break, or a name an equals sign.</exception>
    public Task UpdateBrokerConfigAsync(
        string address, IReadOnlyDictionary<string, string> settings, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(settings);
        byte[] body = Encoding.UTF8.GetBytes(PropertiesText.Write(settings));
        return CallAsync(address, RequestCode.UpdateBrokerConfig, default(NoHeader), body, cancel);
    }

    /// <summary>The producers of a group that are connected to a broker; none when there are none.</summary>
    public async Task<IReadOnlyList<Connection>> GetProducersAsync(
        string address, string group, CancellationToken cancel = default)
    {
        try
        {
            return (await CallAsync<GetProducerConnectionListHeader, ProducerConnection>(
                address,
                RequestCode.GetProducerConnectionList,
                new GetProducerConnectionListHeader { ProducerGroup = group },
                cancel).ConfigureAwait(false)).ConnectionSet;
        }
        catch (BrokerException e) when (e.Code == ResponseCode.SystemError)
        {
            // RocketMQ has no code of its own for a group without producers.
            return [];
        }
    }

    /// <summary>What a consumer, asked through a broker that it is connected to, tells of its inside.</summary>
    /// <exception cref="BrokerException">There is no such consumer, or it did not answer.</exception>
    public Task<ConsumerRunningInfo> GetRunningInfoAsync(
        string address, string group, string clientId, CancellationToken cancel = default) =>
        CallAsync<GetConsumerRunningInfoHeader, ConsumerRunningInfo>(
            address,
            RequestCode.GetConsumerRunningInfo,
            new GetConsumerRunningInfoHeader { ConsumerGroup = group, ClientId = clientId },
            cancel);

    /// <summary>The groups that consume a topic at a broker.</summary>
    public async Task<IReadOnlyList<string>> GetGroupsOfTopicAsync(
        string address, string topic, CancellationToken cancel = default) =>
        (await CallAsync<TopicHeader, GroupList>(address, RequestCode.QueryTopicConsumeByWho, new TopicHeader(topic), cancel)
            .ConfigureAwait(false)).Groups;

    /// <summary>What a group that pops has in hand of the queues of a broker; none where the broker cannot tell, as RocketMQ's.</summary>
    public async Task<IReadOnlyList<PopsInFlightOfQueue>> GetPopsInFlightAsync(
        string address, string group, CancellationToken cancel = default)
    {
        try
        {
            return (await CallAsync<GroupHeader, PopsInFlight>(
                address, RequestCode.ShowPopsInFlight, new GroupHeader(group), cancel).ConfigureAwait(false)).Queues;
        }
        catch (BrokerException e) when (e.Code == ResponseCode.RequestCodeNotSupported)
        {
            return [];
        }
    }

    /// <summary>The messages of a broker that are delivered later. RocketMQ's brokers cannot tell.</summary>
    public Task<PendingTimers> GetTimersAsync(string address, CancellationToken cancel = default) =>
        CallAsync<NoHeader, PendingTimers>(address, RequestCode.ShowTimers, default, cancel);

    /// <summary>What a broker does for the conditions on properties by which groups subscribe to a topic.</summary>
    /// <exception cref="BrokerException">The broker cannot tell, as RocketMQ's (REQUEST_CODE_NOT_SUPPORTED).</exception>
    public Task<FilterStats> GetFilterStatsAsync(string address, string topic, CancellationToken cancel = default) =>
        CallAsync<TopicHeader, FilterStats>(address, RequestCode.ShowFilters, new TopicHeader(topic), cancel);

    /// <summary>The transactions of a broker that have not ended, the oldest first.</summary>
    /// <exception cref="BrokerException">The broker cannot tell, as RocketMQ's (REQUEST_CODE_NOT_SUPPORTED).</exception>
    public Task<TransactionList> ListTransactionsAsync(
        string address, ListTransactionsHeader which, CancellationToken cancel = default) =>
        CallAsync<ListTransactionsHeader, TransactionList>(address, RequestCode.ListTransactions, which, cancel);

    /// <summary>When a queue's first message was stored; null when it has none.</summary>
    public async Task<DateTimeOffset?> FindEarliestStoreTimeAsync(
        string address, MessageQueue queue, CancellationToken cancel = default)
    {
        RemotingCommand answer = await CallAsync(
            address, RequestCode.GetEarliestMessageStoreTime, new QueueHeader(queue.Topic, queue.QueueId), cancel).ConfigureAwait(false);
        long timestampMs = TimestampResponseHeader.Read(answer.Fields).TimestampMs;
        return timestampMs > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(timestampMs) : null;
    }
}
