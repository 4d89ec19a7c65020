using System.CommandLine;

namespace GrayMQ.Cli.Servers;

/// <summary>Says why a server that is no broker alone cannot be taken over, to who tries what works for brokers.</summary>
internal static class NotTakenOver
{
    /// <param name="because">Why, and what to do instead.</param>
    public static void AddTo(Command command, string because)
    {
        var takeOver = new Option<string?>("--take-over") { Hidden = true };
        takeOver.Validators.Add(result => result.AddError($"--take-over is for graymq broker: {because}"));
        command.Options.Add(takeOver);
    }
}
