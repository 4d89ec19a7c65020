using System.Collections.Concurrent;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// A push consumer that pops as RocketMQ's Java client does (setClientRebalance(false)), by the requests that its source makes; it knows
/// nothing of gray. Each method names the one that it comes from.
/// </summary>
internal sealed class StockPopConsumer : IScenarioConsumer, IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private const long PollMs = 500;

    private readonly Peer _peer;
    private readonly string _group;
    private readonly SubscriptionData[] _subscriptions;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    private StockPopConsumer(Peer peer, string group, (string Topic, string Expression)[] subscriptions)
    {
        _peer = peer;
        _group = group;
        _subscriptions = [.. subscriptions.Select((each, index) => ClientsFixture.To(each.Topic, each.Expression, version: index + 1))];
    }

    /// <inheritdoc/>
    public ConcurrentQueue<string> Consumed { get; } = new();

    /// <inheritdoc/>
    public Exception? Failure { get; private set; }

    public static async Task<StockPopConsumer> StartAsync(Peer peer, string group, (string Topic, string Expression)[] subscriptions)
    {
        var consumer = new StockPopConsumer(peer, group, subscriptions);

        // MQClientInstance.sendHeartbeatToAllBrokerWithLock
        await peer.HeartbeatAsync(group, consumer._subscriptions);
        consumer._running = Task.WhenAll(consumer._subscriptions.Select(each => Task.Run(() => ConsumeAsync(consumer, each))));
        return consumer;
    }

    /// <summary>Members share no queues out.</summary>
    public bool IsAmong(int members) => true;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _peer.DisposeAsync();
        _stopping.Dispose();
        Assert.Null(Failure);
    }

    private static async Task ConsumeAsync(StockPopConsumer consumer, SubscriptionData subscription)
    {
        try
        {
            while (!consumer._stopping.IsCancellationRequested)
            {
                foreach (MessageQueueAssignment assignment in await consumer.GetRebalanceResultFromBrokerAsync(subscription.Topic))
                {
                    Assert.Equal(MessageRequestMode.Pop, assignment.Mode);
                    await consumer.PopMessageAsync(subscription, assignment.MessageQueue.QueueId);
                }
            }
        }
        catch (Exception e)
        {
            consumer.Failure = e;
        }
    }

    // RebalanceImpl.getRebalanceResultFromBroker
    private async Task<IReadOnlyList<MessageQueueAssignment>> GetRebalanceResultFromBrokerAsync(string topic)
    {
        var body = new QueryAssignmentRequestBody { ClientId = _peer.Id, ConsumerGroup = _group, StrategyName = "AVG", Topic = topic };
        QueryAssignmentResponseBody answer = await _peer.AskAsync<NoHeader, QueryAssignmentResponseBody>(
            RequestCode.QueryAssignment, default, BodyCodec.Encode(body));
        if (answer.MessageQueueAssignments is { Count: > 0 } assignments)
        {
            return assignments;
        }

        // Nothing said, or nothing assigned: asked again a little later.
        await Task.WhenAny(Task.Delay(Period), Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token));
        return [];
    }

    // DefaultMQPushConsumerImpl.popMessage and its PopCallback, for CONSUME_FROM_FIRST_OFFSET
    private async Task PopMessageAsync(SubscriptionData subscription, int queueId)
    {
        PopMessageHeader header = Pops.Header(
            subscription.Topic, queueId, pollMs: PollMs, expression: subscription.SubString, group: _group);
        RemotingCommand reply = await _peer.PopAsync(header);
        foreach (Popped popped in reply.ResponseCode == ResponseCode.Success ? Pops.Read(reply, header) : [])
        {
            // PullAPIWrapper.processPullResult filters by tag once more; DefaultMQPushConsumerImpl.processPopResult acks what is left out.
            string[] tags = subscription.SubString.Split("||", StringSplitOptions.TrimEntries);
            if (tags is ["*"] || tags.Contains(popped.Message.Tags ?? ""))
            {
                Consumed.Enqueue($"{subscription.Topic}:{popped.Body}");
            }

            // ConsumeMessagePopConcurrentlyService.processConsumeResult
            Assert.Equal(ResponseCode.Success, (await _peer.AckAsync(popped)).ResponseCode);
        }
    }
}
