using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Offsets;

/// <summary>Offsets of a clustering group, which its brokers keep.</summary>
internal sealed class BrokerOffsetStore(ClientSession session, string group, ILogger logger) : IOffsetStore
{
    private readonly ReadOnlyMemory<byte> _groupUtf8 = Encoding.UTF8.GetBytes(group);
    private readonly OffsetTable _table = new();

    public async Task<long?> ReadAsync(MessageQueue queue, CancellationToken cancel)
    {
        TopicRoute route = await RequireRouteAsync(queue, cancel).ConfigureAwait(false);
        string address = RequireAddress(route, queue);
        var header = new QueryConsumerOffsetHeader
        {
            ConsumerGroup = _groupUtf8,
            Topic = route.TopicUtf8,
            QueueId = queue.QueueId,
        };
        RemotingCommand response = await session.Servers
            .InvokeAsync(address, RequestCode.QueryConsumerOffset, header, default, session.Servers.Timeout, cancel)
            .ConfigureAwait(false);
        return response.ResponseCode switch
        {
            ResponseCode.Success => OffsetResponseHeader.Read(response.Fields).Offset,
            ResponseCode.QueryNotFound => null,
            _ => throw new BrokerException(response.ResponseCode, address, response.Remark),
        };
    }

    public long? Peek(MessageQueue queue) => _table.Peek(queue);

    public void Update(MessageQueue queue, long offset) => _table.Update(queue, offset);

    public void Reset(MessageQueue queue, long offset) => _table.Reset(queue, offset);

    public void Forget(MessageQueue queue) => _table.Forget(queue);

    public Task PersistAsync(IReadOnlyCollection<MessageQueue> queues, CancellationToken cancel) =>
        Task.WhenAll(_table.Unstored(queues).Select(async entry =>
        {
            try
            {
                await StoreAsync(entry.Key, entry.Value, cancel).ConfigureAwait(false);
                _table.MarkStored(entry.Key, entry.Value);
            }
            catch (Exception e)
            {
                Log.CommitFailed(logger, entry.Value, entry.Key, e.Message);
                throw;
            }
        }));

    private static string RequireAddress(TopicRoute route, MessageQueue queue) =>
        route.FindBroker(queue.BrokerName)?.FindReader(BrokerData.MasterId, out _)
        ?? throw new RouteNotFoundException($"broker {queue.BrokerName} of {queue.Topic} is not there");

    private async Task StoreAsync(MessageQueue queue, long offset, CancellationToken cancel)
    {
        TopicRoute route = await RequireRouteAsync(queue, cancel).ConfigureAwait(false);
        var header = new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = _groupUtf8,
            Topic = route.TopicUtf8,
            QueueId = queue.QueueId,
            CommitOffset = offset,
        };
        await session.Servers
            .CallAsync(RequireAddress(route, queue), RequestCode.UpdateConsumerOffset, header, cancel: cancel)
            .ConfigureAwait(false);
    }

    private async ValueTask<TopicRoute> RequireRouteAsync(MessageQueue queue, CancellationToken cancel) =>
        await session.Routes.FindAsync(queue.Topic, cancel).ConfigureAwait(false)
        ?? throw new RouteNotFoundException($"no route for topic {queue.Topic}");
}
