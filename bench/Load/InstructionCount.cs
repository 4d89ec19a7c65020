using System.Diagnostics;
using System.Globalization;

namespace GrayMQ.Load;

/// <summary>
/// Instructions that a process retires in a while, as the kernel's counters tell (<c>perf stat</c>): unlike CPU time they hardly depend on
/// what else the machine does.
/// </summary>
/// <param name="User">In the process itself.</param>
/// <param name="Kernel">In the kernel on its behalf.</param>
internal readonly record struct InstructionCount(double User, double Kernel)
{
    private const string UserEvent = "instructions:u";
    private const string KernelEvent = "instructions:k";

    /// <exception cref="InvalidOperationException">There is no <c>perf</c>, or it may not count.</exception>
    public static async Task<InstructionCount> CountAsync(int processId, TimeSpan time, CancellationToken cancel)
    {
        string[] arguments =
        [
            "stat", "-x,", "-e", $"{UserEvent},{KernelEvent}", "-p", processId.ToString(CultureInfo.InvariantCulture), "--",
            "sleep", time.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        ];
        using Process perf = Process.Start(new ProcessStartInfo("perf", arguments) { RedirectStandardError = true })
            ?? throw new InvalidOperationException("perf cannot be started");
        string output = await perf.StandardError.ReadToEndAsync(cancel);
        await perf.WaitForExitAsync(cancel);
        return new InstructionCount(Find(output, UserEvent), Find(output, KernelEvent));
    }

    private static double Find(string output, string name) =>
        output.Split('\n').Select(line => line.Split(',')).FirstOrDefault(fields => fields.Length > 2 && fields[2].StartsWith(name, StringComparison.Ordinal))
            is { } found && double.TryParse(found[0], CultureInfo.InvariantCulture, out double count)
                ? count
                : throw new InvalidOperationException($"perf does not count {name}: {output}");
}
