using System.CommandLine;
using GrayMQ.Model;

var steps = new Option<int?>("--steps") { Description = "Requests; 10000 unless minutes are given" };
var minutes = new Option<double?>("--minutes") { Description = "Goes on for so long instead" };
var seed = new Option<int>("--seed") { Description = "Makes the same choices again", DefaultValueFactory = _ => Random.Shared.Next() };
var command = new Option<string>("--command") { Description = "The graymq command", Required = true };
var flush = new Option<string>("--flush") { Description = "SYNC_FLUSH or ASYNC_FLUSH", DefaultValueFactory = _ => "ASYNC_FLUSH" };
var directory = new Option<string?>("--store") { Description = "Where to store; a new temporary directory otherwise" };

var root = new RootCommand("Asks a broker for random things, kills it now and then, and compares its answers with a simple model")
{
    steps, minutes, seed, command, flush, directory,
};
root.SetAction(async (parsed, cancel) =>
{
    const int DefaultSteps = 10_000;
    var options = new ModelOptions
    {
        Command = parsed.GetRequiredValue(command),
        Seed = parsed.GetValue(seed),
        Steps = parsed.GetValue(steps) ?? (parsed.GetValue(minutes) is null ? DefaultSteps : null),
        Duration = parsed.GetValue(minutes) is { } time ? TimeSpan.FromMinutes(time) : null,
        FlushDiskType = parsed.GetRequiredValue(flush),
        StoreDirectory = parsed.GetValue(directory),
    };
    return await new ModelRun(options).RunAsync(cancel) ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();
