using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Client.Sessions;

/// <summary>Asks brokers for the bounds of queues; offsets count messages.</summary>
internal sealed class QueueOffsets(ClientSession session)
{
    /// <summary>Where the queue's next message will be.</summary>
    public Task<long> MaxAsync(MessageQueue queue, CancellationToken cancel) =>
        AskAsync(queue, RequestCode.GetMaxOffset, new QueueHeader(queue.Topic, queue.QueueId), cancel);

    /// <summary>The first message that the queue still has.</summary>
    public Task<long> MinAsync(MessageQueue queue, CancellationToken cancel) =>
        AskAsync(queue, RequestCode.GetMinOffset, new QueueHeader(queue.Topic, queue.QueueId), cancel);

    /// <summary>The first message that was stored at a time or later.</summary>
    public Task<long> SearchAsync(MessageQueue queue, DateTimeOffset time, CancellationToken cancel) => AskAsync(
        queue,
        RequestCode.SearchOffsetByTimestamp,
        new SearchOffsetHeader(queue.Topic, queue.QueueId, time.ToUnixTimeMilliseconds(), null),
        cancel);

    private async Task<long> AskAsync<THeader>(
        MessageQueue queue, RequestCode code, THeader header, CancellationToken cancel)
        where THeader : IHeaderFields
    {
        string address = await RequireMasterAsync(queue, cancel).ConfigureAwait(false);
        RemotingCommand response =
            await session.Servers.CallAsync(address, code, header, cancel: cancel).ConfigureAwait(false);
        return OffsetResponseHeader.Read(response.Fields).Offset;
    }

    private async Task<string> RequireMasterAsync(MessageQueue queue, CancellationToken cancel)
    {
        TopicRoute? route = await session.Routes.FindAsync(queue.Topic, cancel).ConfigureAwait(false);
        return route?.FindMaster(queue.BrokerName)
            ?? throw new RouteNotFoundException($"no master of broker {queue.BrokerName} is there for topic {queue.Topic}");
    }
}
