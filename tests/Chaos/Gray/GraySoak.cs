using System.Diagnostics;
using GrayMQ.Chaos.Clusters;
using GrayMQ.Client.Admin;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;
using GrayMQ.Testing;

namespace GrayMQ.Chaos.Gray;

/// <summary>
/// One service after the other is released gray, promoted or withdrawn, while messages are sent steadily and brokers, name servers and
/// clients are killed. At the end every message has to have been accepted, by the right side, and none by both.
/// </summary>
internal sealed class GraySoak(GraySoakOptions options, SoakLog log)
{
    /// <summary>Queues of each topic at each broker.</summary>
    public const int Queues = 6;

    private const int ClientsOfVersion = 2;
    private const int ShownProblems = 40;
    private static readonly TimeSpan SendInterval = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan MinWindow = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan MoreWindow = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan HeldBack = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FirstRequestLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan EndLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly GrayLedger _ledger = new();
    private readonly Random _random = new(options.Seed);
    private IReadOnlyList<ServiceGroup> _groups = [];
    private GrayCommander _commander = null!;
    private ServiceVersion _normal = new(1, Shape.Small);
    private ServiceVersion? _gray;
    private volatile GrayPhase? _phase;
    private bool _topicsAreOn;
    private int _releases;

    /// <summary>Runs for the time that was asked for; true when nothing was wrong.</summary>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        if (!options.IsGray)
        {
            _normal = new ServiceVersion(1, Shape.Large);
        }

        Console.WriteLine($"{(options.IsGray ? "gray" : "without gray")}: {options.Duration.TotalSeconds:F0} s, seed {options.Seed}");
        await using PostgresServer postgres = await PostgresServer.StartNewAsync();
        var cluster = await ClusterUnderTest.StartAsync(
            new ClusterOptions
            {
                Command = options.Command,
                Folder = options.Folder is null ? null : Path.Combine(options.Folder, "cluster"),

                // Queues that a broker shows little by little are not what this is about, and a topic is switched on only where all show.
                // Nor is how fast it is at first: where all start again and again, rehearsing would be what most of the time goes into.
                BrokerSettings = ["warmupMs=0", "rehearsalMs=0"],
                NameServerSettings = [$"grayDatabase={await postgres.NewDatabaseAsync()}"],
            },
            cancel);
        await using (cluster)
        {
            return await RunAsync(cluster, cancel);
        }
    }

    private async Task<bool> RunAsync(ClusterUnderTest cluster, CancellationToken cancel)
    {
        string nameServers = cluster.NameServerList;
        await using var admin = new AdminClient(new AdminOptions { NameServers = nameServers });
        string[] brokers = [.. cluster.Brokers.Select(broker => broker.Address)];
        _commander = new GrayCommander(admin, brokers);
        await MakeTopicsAsync(nameServers, brokers, cancel);
        _groups = [.. Enum.GetValues<ClientKind>().Select(kind => new ServiceGroup(kind, nameServers, _ledger, log))];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            await Task.WhenAll(_groups.Select(group => group.StartAsync(_normal, ClientsOfVersion, gray: false)));
            SoakProducer[] producers =
            [
                new("aware", nameServers, isAware: true, SendInterval, options.Seed, _ledger, log, () => _phase),
                new("stock", nameServers, isAware: false, SendInterval, options.Seed + 1, _ledger, log, () => _phase),
            ];
            var kills = new SoakKills(cluster, _groups, () => _gray, options.Seed, _ledger, log);
            Task[] sending = [.. producers.Select(producer => producer.RunAsync(stop.Token))];
            Task sampling = log.SampleAsync(admin, brokers, [.. _groups.Select(group => group.Name)], stop.Token);
            Task killing = options.Kills ? kills.RunAsync(stop.Token) : Task.CompletedTask;
            Task<string?> releasing = TryReleasesAsync(cancel);
            await Task.WhenAny(releasing, options.Kills ? killing : releasing);
            if (killing.IsFaulted)
            {
                // A run in which nobody is killed any more shows nothing.
                await killing;
            }

            string? broken = await releasing;
            await stop.CancelAsync();
            await Task.WhenAll([.. sending, sampling, killing]);
            await UntilConsumedAsync(cancel);
            return Show(producers, kills, broken);
        }
        finally
        {
            await stop.CancelAsync();
            foreach (ServiceGroup group in _groups)
            {
                await group.DisposeAsync();
            }
        }
    }

    // The first requests that these brokers get, right after a start without a rehearsal.
    private static async Task MakeTopicsAsync(string nameServers, IEnumerable<string> brokers, CancellationToken cancel)
    {
        await using var admin = new AdminClient(new AdminOptions { NameServers = nameServers, RequestTimeout = FirstRequestLimit });
        foreach (string broker in brokers)
        {
            foreach (string topic in Shape.Topics)
            {
                await admin.SaveTopicAsync(
                    broker, new TopicConfig { TopicName = topic, ReadQueueNums = Queues, WriteQueueNums = Queues, Perm = TopicPermission.ReadWrite }, cancel);
            }
        }
    }

    private async Task<string?> TryReleasesAsync(CancellationToken cancel)
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            // Ends with the shape that takes everything, so that nothing is left to nobody.
            while (Stopwatch.GetElapsedTime(begun) < options.Duration || _normal.Shape != Shape.Large)
            {
                await SwitchTopicsAsync(on: true, cancel);
                await ReleaseAsync(_normal.Shape.Other, Ending.Replace, cancel);
                await ReleaseAsync(_normal.Shape.Other, Ending.Withdraw, cancel);
                if (Stopwatch.GetElapsedTime(begun) < options.Duration)
                {
                    await ReleaseAsync(_normal.Shape, Ending.Join, cancel);
                }

                await SwitchTopicsAsync(on: false, cancel);
            }

            return null;
        }
        catch (TimeoutException e)
        {
            return $"stuck: {e.Message}";
        }
    }

    private async Task SwitchTopicsAsync(bool on, CancellationToken cancel)
    {
        _phase = null;
        if (options.IsGray)
        {
            log.Tell($"gray topics are switched {(on ? "on" : "off")}");
            await Task.WhenAll(Shape.GrayTopics.Select(
                topic => on ? _commander.EnableAsync(topic, cancel) : _commander.DisableAsync(topic, cancel)));
            _topicsAreOn = on;
        }
    }

    private async Task ReleaseAsync(Shape shape, Ending ending, CancellationToken cancel)
    {
        _phase = null;
        var version = new ServiceVersion(++_releases + 1, options.IsGray ? shape : Shape.Large);
        log.Tell($"{version.Name} ({version.Shape.Name}) beside {_normal.Name} ({_normal.Shape.Name})");
        if (options.IsGray)
        {
            await Task.WhenAll(_groups.Select(group => OpenAsync(group, version, cancel)));
        }

        _gray = version;
        await Task.WhenAll(_groups.Select(group => group.StartAsync(version, ClientsOfVersion, gray: true)));
        if (options.IsGray)
        {
            await Task.WhenAll(_groups.Select(group => _commander.UntilSettledAsync(group.Name, ClientsOfVersion, ClientsOfVersion, cancel)));
        }

        var phase = new GrayPhase(_normal, version, _topicsAreOn) { Ending = ending };
        _phase = phase;
        await Task.Delay(MinWindow + (_random.NextDouble() * MoreWindow), cancel);
        _phase = null;

        // So that there is something to drain.
        ServiceVersion giving = ending == Ending.Replace ? _normal : version;
        TellAll(giving, "pause");
        await Task.Delay(HeldBack, cancel);
        log.Tell($"{version.Name} is to be {NameOf(ending)}");
        Task ended = options.IsGray
            ? Task.WhenAll(_groups.Select(group => EndAsync(group, version, ending, cancel)))
            : Task.CompletedTask;
        await Task.Delay(HeldBack, cancel);
        TellAll(giving, "resume");
        await ended;
        log.Tell($"{version.Name} is {NameOf(ending)}");
        ServiceVersion gone = ending == Ending.Withdraw ? version : _normal;
        _gray = null;
        if (ending == Ending.Join)
        {
            _ledger.Join(_normal.Number, version.Number);
        }

        if (ending != Ending.Withdraw)
        {
            _normal = version;
            foreach (ServiceGroup group in _groups.Where(group => group.Kind == ClientKind.Aware))
            {
                group.Tell(version, "gray false");
            }
        }

        await Task.WhenAll(_groups.Select(group => group.StopAsync(gone)));
        _phase = new GrayPhase(_normal, null, _topicsAreOn);
        await Task.Delay(_random.NextDouble() * MoreWindow, cancel);
    }

    private async Task OpenAsync(ServiceGroup group, ServiceVersion version, CancellationToken cancel)
    {
        await _commander.OpenAsync(group.Name, cancel);
        if (group.RuleOf(version) is { } rule)
        {
            await _commander.AddRuleAsync(group.Name, rule, cancel);
        }
    }

    private async Task EndAsync(ServiceGroup group, ServiceVersion version, Ending ending, CancellationToken cancel)
    {
        await _commander.EndAsync(group.Name, ending, cancel);
        log.Tell($"{group.Name}: {version.Name} is {NameOf(ending)}");
    }

    private void TellAll(ServiceVersion version, string command)
    {
        foreach (ServiceGroup group in _groups)
        {
            group.Tell(version, command);
        }
    }

    private static string NameOf(Ending ending) => ending switch
    {
        Ending.Join => "promoted by joining",
        Ending.Replace => "promoted by replacing",
        _ => "withdrawn",
    };

    private async Task UntilConsumedAsync(CancellationToken cancel)
    {
        long begun = Stopwatch.GetTimestamp();
        while (_groups.Any(group => _ledger.CountMissing(group.Name) > 0) && Stopwatch.GetElapsedTime(begun) < EndLimit)
        {
            await Task.Delay(Pause, cancel);
        }
    }

    private bool Show(SoakProducer[] producers, SoakKills kills, string? broken)
    {
        List<string> problems =
        [
            .. producers.SelectMany(producer => producer.Misplaced),
            .. _groups.SelectMany(group => _ledger.Check(group.Name, options.IsGray)),
        ];
        if (broken is not null)
        {
            problems.Insert(0, broken);
        }

        foreach (string problem in problems.Take(ShownProblems))
        {
            Console.WriteLine(problem);
        }

        foreach (ServiceGroup group in _groups)
        {
            (int messages, int again) = _ledger.Count(group.Name);
            Console.WriteLine(
                $"{group.Name}: {messages} messages accepted, {again} of them again; by both sides, as the one's acceptance died with a process: "
                + $"{_ledger.CountUnconfirmed(group.Name)}");
        }

        Console.WriteLine(
            $"{(options.IsGray ? "gray" : "without gray")}, seed {options.Seed}: {_ledger.Sent} sent, {producers.Sum(producer => producer.Failed)} sends failed, "
            + $"{_releases} releases, {kills.Count} kills, {problems.Count} problems");
        return problems.Count == 0 && _ledger.Sent > 0;
    }
}
