using GrayMQ.Client.Consumers.Requests;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Producers.Requesting;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Memberships;

/// <summary>
/// What every consumer has as a member of its group, however it gets its messages: a session, subscriptions, heartbeats that tell them,
/// an ear for what brokers ask, and a life that begins with joining the group and ends with leaving it.
/// </summary>
internal sealed class GroupMembership
{
    private readonly MemberDescription _about;
    private readonly ConsumerRequests _requests;
    private readonly Replier _replier;

    public GroupMembership(
        MemberDescription about, ClientOptions options, string clientId, ILogger logger, ILoggerFactory loggers, TimeProvider time)
    {
        _about = about;
        _requests = new ConsumerRequests(logger);
        Logger = logger;
        Session = new ClientSession(options, clientId, _requests.Table, loggers, time);
        Subscriptions = new SubscriptionTable(time);
        Heartbeats = new Heartbeats(Session, Compose, mastersOnly: false, options.HeartbeatInterval, logger);
        Lifecycle = new Lifecycle($"consumer of group {about.Group}");
        _replier = new Replier(Session, about.Group, options.RequestTimeout, logger);
    }

    /// <summary>Raised after a change of what is subscribed to, once the consumer has been started.</summary>
    public event Action? SubscriptionsChanged;

    public string Group => _about.Group;

    public ClientSession Session { get; }

    public SubscriptionTable Subscriptions { get; }

    public Heartbeats Heartbeats { get; }

    public Lifecycle Lifecycle { get; }

    public ILogger Logger { get; }

    /// <summary>Lets brokers' requests in.</summary>
    public void Serve(IConsumerInside consumer) => _requests.Serve(consumer);

    /// <exception cref="ArgumentException">The topic's name is wrong.</exception>
    public void Subscribe(string topic, MessageSelector selector)
    {
        NameRules.RequireTopic(topic);
        ArgumentNullException.ThrowIfNull(selector);
        Subscriptions.Set(topic, selector);
        OnSubscriptionsChanged();
    }

    public void Unsubscribe(string topic)
    {
        if (Subscriptions.Remove(topic))
        {
            OnSubscriptionsChanged();
        }
    }

    /// <summary>Answers a request that came as a message: see <see cref="Replier"/>.</summary>
    public Task ReplyAsync(ReceivedMessage request, ReadOnlyMemory<byte> body, CancellationToken cancel) =>
        _replier.ReplyAsync(request, body, cancel);

    /// <summary>Makes the consumer known to the brokers of its topics, and keeps it known.</summary>
    public async Task JoinAsync(CancellationToken cancel)
    {
        await Session.Routes.PrepareAsync(Subscriptions.Topics, cancel).ConfigureAwait(false);
        await Heartbeats.SendAsync(cancel).ConfigureAwait(false);
        Heartbeats.Start();
    }

    /// <summary>Takes leave of the brokers, as far as they can be reached.</summary>
    public async Task LeaveAsync()
    {
        await Heartbeats.DisposeAsync().ConfigureAwait(false);
        await Heartbeats.UnregisterAsync(null, Group, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask CloseAsync() => Session.DisposeAsync();

    private void OnSubscriptionsChanged()
    {
        if (Lifecycle.IsRunning)
        {
            Heartbeats.Wake();
            SubscriptionsChanged?.Invoke();
        }
    }

    private HeartbeatData Compose() => new()
    {
        ClientId = Session.ClientId,
        ConsumerDataSet =
        [
            new ConsumerData
            {
                GroupName = Group,
                GrayFlag = Session.Gray.Flag,
                ConsumeType = _about.Type,
                MessageModel = _about.Model,
                ConsumeFromWhere = ConsumerIdentity.ToWhere(_about.From),
                SubscriptionDataSet = [.. Subscriptions.All],
            },
        ],
    };
}
