using System.Collections.Immutable;
using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// What a consumer pops: the queues that a broker assigns where the group has been set to pop and to share queues out, and otherwise all
/// queues of all brokers, which is what queue id −1 stands for.
/// </summary>
internal sealed class PopAssignments : IAsyncDisposable
{
    private readonly GroupMembership _membership;
    private readonly TimeSpan _interval;
    private readonly Pulse _pulse;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<string, ImmutableArray<MessageQueue>> _byTopic = new(StringComparer.Ordinal);
    private ImmutableArray<MessageQueue> _targets = [];
    private Task _loop = Task.CompletedTask;

    public PopAssignments(GroupMembership membership, TimeSpan interval)
    {
        _membership = membership;
        _interval = interval;
        _pulse = new Pulse(membership.Session.Time);
    }

    /// <summary>Raised when <see cref="Targets"/> have become others.</summary>
    public event Action? Changed;

    /// <summary>What to pop now.</summary>
    public ImmutableArray<MessageQueue> Targets => _targets;

    /// <summary>Finds out what to pop, and goes on doing so.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        await RefreshAsync(cancel).ConfigureAwait(false);
        _membership.SubscriptionsChanged += Wake;
        _membership.Session.Routes.Changed += OnRouteChanged;
        _loop = RunAsync();
    }

    /// <summary>Has it found out again soon.</summary>
    public void Wake() => _pulse.Wake();

    public async ValueTask DisposeAsync()
    {
        _membership.SubscriptionsChanged -= Wake;
        _membership.Session.Routes.Changed -= OnRouteChanged;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void OnRouteChanged(string topic) => Wake();

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _pulse.WaitAsync(_interval, _stopping.Token).ConfigureAwait(false);
                await RefreshAsync(_stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task RefreshAsync(CancellationToken cancel)
    {
        string[] topics = [.. _membership.Subscriptions.Topics];
        foreach (string topic in topics)
        {
            try
            {
                TopicRoute? route = await _membership.Session.Routes.FindAsync(topic, cancel).ConfigureAwait(false);
                _byTopic[topic] = route is null ? [] : await FindAsync(route, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // What is known stays.
                Log.RebalanceFailed(_membership.Logger, topic, e.Message);
            }
        }

        foreach (string topic in _byTopic.Keys.Except(topics).ToArray())
        {
            _byTopic.Remove(topic);
        }

        ImmutableArray<MessageQueue> targets = [.. _byTopic.Values.SelectMany(queues => queues).Distinct().Order()];
        if (!targets.SequenceEqual(_targets))
        {
            _targets = targets;
            Changed?.Invoke();
        }
    }

    private async Task<ImmutableArray<MessageQueue>> FindAsync(TopicRoute route, CancellationToken cancel)
    {
        List<MessageQueueAssignment>? assigned = await AskAsync(route, cancel).ConfigureAwait(false);
        ImmutableArray<MessageQueue> popped =
        [
            .. assigned?.Where(assignment => assignment.Mode == MessageRequestMode.Pop).Select(assignment => assignment.MessageQueue)
                .Where(queue => queue.Topic == route.Topic && route.FindMaster(queue.BrokerName) is not null) ?? [],
        ];
        return popped.IsEmpty
            ? [.. route.ReadableQueues.Select(queue => queue with { QueueId = PopMessageHeader.AnyQueue }).Distinct()]
            : popped;
    }

    // One broker of the topic answers for all of them; null where none does.
    private async Task<List<MessageQueueAssignment>?> AskAsync(TopicRoute route, CancellationToken cancel)
    {
        string[] masters = [.. route.Brokers.Select(broker => broker.Master).OfType<string>()];
        if (masters.Length == 0)
        {
            return null;
        }

        ClientSession session = _membership.Session;
        string address = masters[Random.Shared.Next(masters.Length)];
        var body = new QueryAssignmentRequestBody
        {
            ClientId = session.ClientId,
            ConsumerGroup = _membership.Group,
            Topic = route.Topic,
            StrategyName = QueueAllocations.Average.Name,
        };
        try
        {
            RemotingCommand response = await session.Servers
                .InvokeAsync(
                    address,
                    RequestCode.QueryAssignment,
                    default(NoHeader),
                    BodyCodec.Encode(body),
                    session.Servers.Timeout,
                    cancel)
                .ConfigureAwait(false);
            return response.ResponseCode == ResponseCode.Success
                ? BodyCodec.Decode<QueryAssignmentResponseBody>(response.Body).MessageQueueAssignments
                : null;
        }
        catch (Exception e) when (e is ConnectionClosedException or TimeoutException)
        {
            Log.AssignmentUnknown(_membership.Logger, address, e.Message);
            return null;
        }
    }
}
