using System.Globalization;

namespace GrayMQ.Load;

/// <summary>
/// What gray releases of others cost those who have nothing to do with them: the same sends, pulls and pops, turn about, at a broker with a
/// gray topic and an open release of another group, and at one that has never heard of gray.
/// </summary>
internal sealed class GrayCost(LoadOptions with, LoadOptions without, int rounds)
{
    private static readonly string Head = string.Create(
        CultureInfo.InvariantCulture, $"{"run",-24} {"messages/s",12} {"CPU us/msg",11} {"user instr/msg",15} {"kernel instr/msg",17}");

    public async Task RunAsync(CancellationToken cancel)
    {
        var window = new { Connections = 4, InFlight = 32 };
        (string Name, Func<LoadOptions, CancellationToken, Task<LoadResult>> Run)[] loads =
        [
            ("send 4x32", (options, stop) => Scenarios.SendAsync(
                "send", options with { Connections = window.Connections, InFlight = window.InFlight }, stop)),
            ("pull 4x1", (options, stop) => Scenarios.PullAsync("pull", options with { Connections = 4, InFlight = 1 }, stop)),
            ("pop 4x1, batch acks", (options, stop) => Scenarios.PopAsync(
                "pop", options with { Connections = 4, InFlight = 1 }, PopAcks.Batch, stop)),
        ];
        Console.WriteLine(Head);
        foreach ((string name, Func<LoadOptions, CancellationToken, Task<LoadResult>> run) in loads)
        {
            var ratios = new List<double>();
            for (int round = 0; round < rounds; round++)
            {
                double gray = await CountAsync($"{name}, gray", with, run, cancel);
                double plain = await CountAsync($"{name}, no gray", without, run, cancel);
                ratios.Add(gray / plain);
            }

            ratios.Sort();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: user instructions with gray / without {ratios[ratios.Count / 2]:F3} (median of {rounds}, {ratios[0]:F3} to {ratios[^1]:F3})"));
        }
    }

    // User instructions for each message.
    private static async Task<double> CountAsync(
        string name, LoadOptions options, Func<LoadOptions, CancellationToken, Task<LoadResult>> run, CancellationToken cancel)
    {
        int process = options.ProcessId ?? throw new InvalidOperationException($"no process of this machine listens on {options.Broker}");
        Task<LoadResult> running = run(options, cancel);
        await Task.Delay(options.WarmUp, cancel);
        InstructionCount count = await InstructionCount.CountAsync(process, options.Duration, cancel);
        LoadResult result = await running;
        double user = count.User / result.Messages;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-24} {result.PerSecond,12:F0} {result.CpuMicroseconds,11:F2} {user,15:F0} {count.Kernel / result.Messages,17:F0}"));
        return user;
    }
}
