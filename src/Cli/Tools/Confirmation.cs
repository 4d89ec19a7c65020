namespace GrayMQ.Cli.Tools;

/// <summary>Asks before something is lost, if there is somebody to ask. A script has said what it wants by being written.</summary>
internal static class Confirmation
{
    /// <returns>Whether to go on: yes, unless a person says no.</returns>
    public static async Task<bool> AskAsync(CommandContext context, string question, CancellationToken cancel)
    {
        if (!context.IsInteractive)
        {
            return true;
        }

        await context.Error.WriteAsync($"{question} [y/N] ").ConfigureAwait(false);
        await context.Error.FlushAsync(cancel).ConfigureAwait(false);
        using var input = new StreamReader(context.Input, leaveOpen: true);
        string? answer = await input.ReadLineAsync(cancel).ConfigureAwait(false);
        return answer?.Trim() is "y" or "Y" or "yes" or "Yes" or "YES";
    }
}
