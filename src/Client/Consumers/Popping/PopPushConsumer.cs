using System.Globalization;
using GrayMQ.Client.Consumers.Dispatch;
using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Consumers.Requests;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// Hands the messages of its topics to a handler, of any queue of any broker: the members of the group share no queues out, so that one
/// that hangs holds nothing up, and there may be more of them than queues. Each message is handled at least once.
/// </summary>
public sealed class PopPushConsumer : IAsyncDisposable
{
    private readonly PopPushConsumerOptions _options;
    private readonly GroupMembership _membership;
    private readonly PopAssignments _assignments;
    private readonly AckLanes _acks;
    private readonly PopDispatcher _dispatcher;
    private readonly PopLoops _loops;
    private readonly IBatchMessageHandler _handler;
    private readonly ConsumeStatistics _statistics;
    private readonly DateTimeOffset _made;

    /// <param name="options">Read here: changes made afterwards have no effect.</param>
    /// <param name="handler">What is done with each message.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public PopPushConsumer(
        PopPushConsumerOptions options, IMessageHandler handler, ILoggerFactory? loggers = null, TimeProvider? time = null)
        : this(options, Require(handler).HandleAsync, loggers, time)
    {
    }

    /// <inheritdoc cref="PopPushConsumer(PopPushConsumerOptions, IMessageHandler, ILoggerFactory?, TimeProvider?)"/>
    public PopPushConsumer(
        PopPushConsumerOptions options,
        Func<ReceivedMessage, CancellationToken, ValueTask<ConsumeResult>> handler,
        ILoggerFactory? loggers = null,
        TimeProvider? time = null)
        : this(options, DelegateHandler.OneByOne(Require(handler)), loggers, time)
    {
    }

    /// <inheritdoc cref="PopPushConsumer(PopPushConsumerOptions, IMessageHandler, ILoggerFactory?, TimeProvider?)"/>
    public PopPushConsumer(
        PopPushConsumerOptions options, IBatchMessageHandler handler, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        Require(options).Validate();
        _handler = Require(handler);
        _options = (PopPushConsumerOptions)options.Copy();
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        _made = time.GetUtcNow();
        ILogger logger = loggers.CreateLogger<PopPushConsumer>();
        _membership = PopMembership.Create(_options, logger, loggers, time);
        _assignments = new PopAssignments(_membership, _options.AssignmentInterval);
        _statistics = new ConsumeStatistics(time);
        var caller = new PopCaller(_membership.Session, _options);
        var budget = new PopBudget(_options.MaxInFlightMessages);
        _acks = new AckLanes(caller, logger);
        _dispatcher = new PopDispatcher(
            new HandlerInvoker(_handler, _statistics, _options.Group, time, logger, _membership.Session.Gray),
            caller,
            _acks,
            new SendBack(_membership.Session, _options.Group, _options.EffectiveMaxReconsumeTimes, logger),
            budget,
            _options,
            time,
            logger);
        _loops = new PopLoops(_membership, _assignments, caller, _acks, _dispatcher, budget, _statistics, _options);
        _membership.Serve(new Inside(this));
    }

    /// <summary>Changes whether this consumer takes part in gray releases, and whether it is gray; brokers are told at once.</summary>
    public void SetGray(bool graySwitch, bool grayFlag) => _membership.Session.Gray.Set(graySwitch, grayFlag);

    /// <summary>The id that brokers know this consumer by.</summary>
    public string ClientId => _membership.Session.ClientId;

    /// <summary>What it pops now: queue id −1 stands for all queues of a broker.</summary>
    public IReadOnlyCollection<MessageQueue> Queues => _assignments.Targets;

    /// <inheritdoc cref="PopConsumer.Subscribe(string, string)"/>
    public void Subscribe(string topic, string tags = SubscriptionData.SubscribeAll) =>
        Subscribe(topic, MessageSelector.ByTag(tags));

    /// <inheritdoc cref="PopConsumer.Subscribe(string, MessageSelector)"/>
    public void Subscribe(string topic, MessageSelector selector) => _membership.Subscribe(topic, selector);

    /// <summary>Consumes no further messages of a topic.</summary>
    public void Unsubscribe(string topic) => _membership.Unsubscribe(topic);

    /// <inheritdoc cref="PushConsumer.ReplyAsync"/>
    public Task ReplyAsync(ReceivedMessage request, ReadOnlyMemory<byte> body, CancellationToken cancel = default) =>
        _membership.ReplyAsync(request, body, cancel);

    /// <summary>
    /// Begins to consume. What cannot be reached now, name servers or brokers, is tried again until it can be: that is no error here.
    /// </summary>
    /// <exception cref="InvalidOperationException">It has been started or stopped before.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        _membership.Lifecycle.Start();
        await _membership.JoinAsync(cancel).ConfigureAwait(false);
        await _assignments.StartAsync(cancel).ConfigureAwait(false);
        _loops.Start();
    }

    /// <summary>
    /// Takes no further messages, waits for the handlers that are at work, <see cref="PopPushConsumerOptions.ShutdownTimeout"/> at most,
    /// acknowledges what they have done, hands back what they have not begun, leaves the group and closes the connections.
    /// </summary>
    /// <param name="cancel">Cuts the wait for handlers short.</param>
    public Task StopAsync(CancellationToken cancel = default) => _membership.Lifecycle.StopAsync(async () =>
    {
        await _assignments.DisposeAsync().ConfigureAwait(false);
        _loops.Stop();
        Task handlers = _dispatcher.StopAsync(_options.ShutdownTimeout);
        await handlers.WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _membership.LeaveAsync().ConfigureAwait(false);
        await _loops.DisposeAsync().ConfigureAwait(false);
        await _dispatcher.DrainAsync().ConfigureAwait(false);
        await _acks.DrainAsync().ConfigureAwait(false);
        await _membership.CloseAsync().ConfigureAwait(false);
    });

    /// <summary>Stops, if that has not been done.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _dispatcher.Dispose();
    }

    private static T Require<T>(T value)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(value);
        return value;
    }

    // What brokers see of the consumer.
    private sealed class Inside(PopPushConsumer consumer) : IConsumerInside
    {
        public string Group => consumer._options.Group;

        public void OnMembersChanged() => consumer._assignments.Wake();

        // Offsets are the broker's affair.
        public Task ResetOffsetsAsync(string topic, IReadOnlyDictionary<MessageQueue, long> offsets) => Task.CompletedTask;

        public Dictionary<MessageQueue, long> DescribeOffsets(string topic) => [];

        public ConsumerRunningInfo Describe() => new()
        {
            Properties = new(ConsumerIdentity.Describe(consumer._options, PopMembership.ConsumeTypeName))
            {
                ["PROP_CONSUMEORDERLY"] = consumer._options.Orderly ? "true" : "false",
                ["PROP_THREADPOOL_CORE_SIZE"] = consumer._options.MaxConcurrency.ToString(CultureInfo.InvariantCulture),
                ["PROP_CONSUMER_START_TIMESTAMP"] =
                    consumer._made.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
            },
            SubscriptionSet = [.. consumer._membership.Subscriptions.All],
            MqPopTable = consumer._loops.Describe(),
            StatusTable = consumer._membership.Subscriptions.Topics.ToDictionary(topic => topic, consumer._statistics.Describe),
        };

        public async Task<ConsumeMessageDirectlyResult?> ConsumeDirectlyAsync(ReceivedMessage message, string brokerName) =>
            await DirectHandling.HandleAsync(
                consumer._handler,
                message with { BrokerName = brokerName },
                consumer._options.Orderly,
                consumer._membership.Session.Time).ConfigureAwait(false);
    }
}
