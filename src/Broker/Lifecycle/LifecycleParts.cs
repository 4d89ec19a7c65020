using GrayMQ.Broker.Registration;
using GrayMQ.Broker.Statistics;
using GrayMQ.Remoting.Clients;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Everything that has to do with coming and leaving, put together once.</summary>
internal sealed class LifecycleParts : IDisposable
{
    private readonly DrainLease _lease;
    private readonly StatusFile? _statusFile;

    /// <param name="lifecycle">Made before, for it begins before the store is open.</param>
    /// <param name="connections">Who is connected: where clients come is made from what is made here, so it comes later.</param>
    public LifecycleParts(
        LifecycleOptions options,
        BrokerLifecycle lifecycle,
        BrokerState state,
        ConsumeProgress progress,
        NarrowRules rules,
        RouteView view,
        NameServerRegistration registration,
        RemotingClient nameServers,
        Func<OpenConnections> connections,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        State = lifecycle;
        Sends = new SendActivity(state.Topics, state.Clients.Producers, time);
        var work = new WorkLeft(
            state.Clients.Consumers,
            state.Groups,
            state.Offsets,
            progress,
            state.Pops.CheckPoints,
            state.Pending,
            state.Halves,
            state.Topics,
            state.Messages);
        var alternatives = new WriteAlternatives(options, state.Topics, nameServers, loggers.CreateLogger<WriteAlternatives>());
        _lease = new DrainLease(options, nameServers, time, loggers.CreateLogger<DrainLease>());
        var drain = new DrainProgress(options, time);
        Departure = new Departure(
            options,
            lifecycle,
            Sends,
            drain,
            new Consumption(
                options, lifecycle, Sends, view, work, state.Parked, state.Pops.Parked, drain, time, loggers.CreateLogger<Consumption>()),
            view,
            alternatives,
            _lease,
            new LeavingNotice(options.BrokerName, state.Clients.Consumers, state.Clients.Producers),
            registration,
            time,
            loggers.CreateLogger<Departure>());
        Warmup = new Warmup(
            options.Warmup,
            rules,
            lifecycle,
            view,
            state.Topics,
            alternatives,
            registration,
            Sends,
            time,
            loggers.CreateLogger<Warmup>());
        Arrival = new Arrival(
            options, lifecycle, registration, Warmup, _lease, state.Messages, time, loggers.CreateLogger<Arrival>());
        Reporter = new LifecycleReporter(
            options, lifecycle, Arrival, Warmup, Departure, Sends, work, state.Statistics, state.Messages, connections, time);
        Gate = new SendGate(
            lifecycle,
            Departure,
            view,
            Sends,
            new ProbeSends(options.ProbeCodes, options.ProbeTopics),
            options.BrokerAddress,
            time);
        Handler = new LifecycleHandler(Departure, Reporter);
        _statusFile = options.StatusFile is { } path
            ? new StatusFile(path, lifecycle, Warmup, Departure, time, loggers.CreateLogger<StatusFile>())
            : null;
    }

    public BrokerLifecycle State { get; }

    public SendActivity Sends { get; }

    public SendGate Gate { get; }

    public Arrival Arrival { get; }

    public Warmup Warmup { get; }

    public Departure Departure { get; }

    public LifecycleReporter Reporter { get; }

    public LifecycleHandler Handler { get; }

    /// <summary>A successor takes the broker's place: nobody is waited for, and the routes stay.</summary>
    public async Task HandOverAsync(CancellationToken cancel)
    {
        await Departure.BreakOffAsync().ConfigureAwait(false);
        await _lease.HoldRouteAsync(cancel).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _statusFile?.Dispose();
        Warmup.Dispose();
        _lease.Dispose();
        Departure.Dispose();
    }
}
