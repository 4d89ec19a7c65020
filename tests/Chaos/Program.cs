using System.CommandLine;
using GrayMQ.Chaos;
using GrayMQ.Chaos.Gray;
using GrayMQ.Chaos.Rolling;
using GrayMQ.Chaos.TakeOver;
using GrayMQ.Chaos.Warmups;

var rounds = new Option<int>("--rounds") { Description = "How often the server is killed", DefaultValueFactory = _ => 50 };
var seed = new Option<int>("--seed") { Description = "Makes the same moments again", DefaultValueFactory = _ => Random.Shared.Next() };
var command = new Option<string>("--command") { Description = "The graymq command", Required = true };
var flush = new Option<string>("--flush") { Description = "SYNC_FLUSH or ASYNC_FLUSH", DefaultValueFactory = _ => "SYNC_FLUSH" };
var directory = new Option<string?>("--store") { Description = "Where to store; a new temporary directory otherwise" };

var kill = new Command("kill", "Kills a standalone server under load again and again, and counts what it lost")
{
    rounds, seed, command, flush, directory,
};
kill.SetAction(async (parsed, cancel) => await new KillRun(Read(parsed)).RunAsync(cancel) ? 0 : 1);

var killPop = new Command("kill-pop", "The same for consumers that pop: what was not acked comes again, what was acked does not")
{
    rounds, seed, command, flush, directory,
};
killPop.SetAction(async (parsed, cancel) => await new PopKillRun(Read(parsed)).RunAsync(cancel) ? 0 : 1);

var killFilter = new Command("kill-filter", "The same for groups that consume by conditions: nothing is lost, and nothing comes that does not match")
{
    rounds, seed, command, flush, directory,
};
killFilter.SetAction(async (parsed, cancel) => await new FilterKillRun(Read(parsed)).RunAsync(cancel) ? 0 : 1);

var routePoll = new Option<int>("--route-poll") { Description = "Seconds between a client's route polls", DefaultValueFactory = _ => 30 };
var pause = new Option<int>("--pause") { Description = "Milliseconds that each producer rests between two sends", DefaultValueFactory = _ => 10 };
var rollingWarmup = new Option<int?>("--warmup") { Description = "Seconds that a broker takes to its whole share; as --route-poll unless given" };
var sendTimeout = new Option<int>("--send-timeout") { Description = "Seconds for a send with all its tries", DefaultValueFactory = _ => 3 };
var plain = new Option<bool>("--plain") { Description = "Servers stop at once, without leaving" };
var compare = new Option<string?>("--compare") { Description = "The same again with servers that stop at once, and both drawn into this SVG" };
var brokersOnly = new Option<bool>("--brokers-only") { Description = "Name servers stay as they are" };
var noNpm = new Option<bool>("--no-npm") { Description = "Without ali-ons of npm" };
var grpc = new Option<bool>("--grpc") { Description = "With rocketmq-client-nodejs of npm, which speaks gRPC and asks for routes every 30 s" };
var haProxy = new Option<bool>("--haproxy") { Description = "HAProxy stands before each broker; without topics that cannot move" };
var scaleIn = new Option<bool>("--scale-in") { Description = "Instead of restarts one broker leaves for good; without topics that cannot move" };
var rolling = new Command("rolling", "Restarts three brokers and two name servers one after the other under load, and counts what fails, is lost or comes twice")
{
    command, routePoll, rollingWarmup, pause, sendTimeout, plain, compare, brokersOnly, noNpm, grpc, haProxy, scaleIn,
};
rolling.Validators.Add(parsed =>
{
    if (parsed.GetValue(scaleIn) && (parsed.GetValue(plain) || parsed.GetValue(compare) is not null))
    {
        parsed.AddError("who leaves for good does not stop at once: --scale-in goes without --plain and --compare");
    }
});
rolling.SetAction(async (parsed, cancel) =>
{
    var options = new RollingOptions
    {
        Command = parsed.GetRequiredValue(command),
        Drains = !parsed.GetValue(plain),
        RoutePoll = TimeSpan.FromSeconds(parsed.GetValue(routePoll)),
        Warmup = TimeSpan.FromSeconds(parsed.GetValue(rollingWarmup) ?? parsed.GetValue(routePoll)),
        Pause = TimeSpan.FromMilliseconds(parsed.GetValue(pause)),
        SendTimeout = TimeSpan.FromSeconds(parsed.GetValue(sendTimeout)),
        NameServers = !parsed.GetValue(brokersOnly),
        AliOns = !parsed.GetValue(noNpm),
        Grpc = parsed.GetValue(grpc),
        HAProxy = parsed.GetValue(haProxy),
        ScaleIn = parsed.GetValue(scaleIn),
    };
    RollingResult result = await new RollingRun(options).RunAsync(cancel);
    result.Print();
    if (parsed.GetValue(compare) is { } svg)
    {
        RollingResult beside = await new RollingRun(options with { Drains = false }).RunAsync(cancel);
        beside.Print();
        await File.WriteAllTextAsync(svg, RollingPlot.Draw(result, beside), cancel);
    }

    return result.IsClean ? 0 : 1;
});

var logMiB = new Option<long>("--log-mib") { Description = "What the log holds before it begins", DefaultValueFactory = _ => 10 * 1024 };
var times = new Option<int>("--times") { Description = "How often the broker's place is taken", DefaultValueFactory = _ => 3 };
var takeOver = new Command("take-over", "Takes a broker's place again and again under load, and tells for how long nobody was answered")
{
    command, logMiB, times,
};
takeOver.SetAction(async (parsed, cancel) => await new TakeOverRun(
    parsed.GetRequiredValue(command), parsed.GetValue(logMiB) * 1024 * 1024, parsed.GetValue(times)).RunAsync(cancel) ? 0 : 1);

var warmupSeconds = new Option<double>("--warmup") { Description = "Seconds that the broker takes to its whole share", DefaultValueFactory = _ => 150 };
var exponent = new Option<double>("--exponent") { Description = "warmupExponent", DefaultValueFactory = _ => 1 };
var producers = new Option<int>("--producers") { Description = "Producers", DefaultValueFactory = _ => 12 };
var calm = new Option<double>("--calm") { Description = "Seconds before the broker leaves, and after it is warm", DefaultValueFactory = _ => 15 };
var plot = new Option<string?>("--plot") { Description = "Where to draw it, as SVG" };
var warmup = new Command("warmup", "Restarts one broker of three under load, and measures its part of the sends and how long its first ones take")
{
    command, warmupSeconds, exponent, routePoll, producers, calm, plot,
};
warmup.SetAction(async (parsed, cancel) => await new WarmupRun(new WarmupOptions
{
    Command = parsed.GetRequiredValue(command),
    Warmup = TimeSpan.FromSeconds(parsed.GetValue(warmupSeconds)),
    Exponent = parsed.GetValue(exponent),
    RoutePoll = TimeSpan.FromSeconds(parsed.GetValue(routePoll)),
    Producers = parsed.GetValue(producers),
    Calm = TimeSpan.FromSeconds(parsed.GetValue(calm)),
    Plot = parsed.GetValue(plot),
}).RunAsync(cancel) ? 0 : 1);

KillOptions Read(ParseResult parsed) => new()
{
    Command = parsed.GetRequiredValue(command),
    FlushDiskType = parsed.GetRequiredValue(flush),
    Rounds = parsed.GetValue(rounds),
    Seed = parsed.GetValue(seed),
    StoreDirectory = parsed.GetValue(directory),
};

var root = new RootCommand("Breaks servers on purpose, and checks that nothing is lost")
{
    kill, killPop, killFilter, rolling, warmup, takeOver, SoakCommands.Soak(command, seed), SoakCommands.Client(), SoakCommands.Plot(),
};
return await root.Parse(args).InvokeAsync();
