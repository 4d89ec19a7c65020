using System.Collections.Concurrent;
using GrayMQ.Broker.Gray;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>A push consumer as the 5.x libraries are: it receives what it subscribes to with the broker renewing its time, and acks it.</summary>
internal sealed class GrpcPushConsumer : IScenarioConsumer, IAsyncDisposable
{
    private readonly GrpcPeer _peer;
    private readonly string _group;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    private GrpcPushConsumer(GrpcPeer peer, string group)
    {
        _peer = peer;
        _group = group;
    }

    /// <inheritdoc/>
    public ConcurrentQueue<string> Consumed { get; } = new();

    /// <inheritdoc/>
    public Exception? Failure { get; private set; }

    public static async Task<GrpcPushConsumer> StartAsync(
        string port, string id, string group, params (string Topic, string Tags)[] subscriptions)
    {
        var consumer = new GrpcPushConsumer(new GrpcPeer(port, id), group);
        await consumer._peer.ConsumeAsync(group, V2.ClientType.PushConsumer, subscriptions);
        consumer._running = Task.WhenAll(subscriptions.Select(each => Task.Run(() => consumer.ConsumeAsync(each.Topic, each.Tags))));
        return consumer;
    }

    /// <summary>The broker shares out by message: whoever asks is among the others.</summary>
    public bool IsAmong(int members) => true;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _peer.DisposeAsync();
        _stopping.Dispose();
        Assert.Null(Failure);
    }

    private async Task ConsumeAsync(string topic, string tags)
    {
        try
        {
            V2.QueryAssignmentResponse assigned = await _peer.CallAsync(
                "QueryAssignment",
                new V2.QueryAssignmentRequest { Topic = new V2.Resource { Name = topic }, Group = new V2.Resource { Name = _group } },
                V2.QueryAssignmentResponse.Parser);
            Assert.Single(assigned.Assignments);
            while (true)
            {
                (_, IReadOnlyList<V2.Message> messages) = await _peer.ReceiveAsync(_group, topic, tags, cancel: _stopping.Token);
                if (messages.Count > 0)
                {
                    V2.AckMessageResponse acked = await _peer.AckAsync(_group, topic, messages);
                    Assert.True(acked.Status.Code == V2.Code.Ok, acked.ToString());
                    foreach (V2.Message message in messages)
                    {
                        Consumed.Enqueue($"{message.Topic.Name}:{message.Body.ToStringUtf8()}");
                    }
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // It is to end.
        }
        catch (Exception e)
        {
            Failure = e;
        }
    }
}
