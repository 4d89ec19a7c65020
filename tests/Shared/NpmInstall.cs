using System.Diagnostics;

namespace GrayMQ.Testing;

/// <summary>Installs what a package.json names, from the registry that npm is set to, in the versions and with the digests of package-lock.json.</summary>
internal static class NpmInstall
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <param name="source">Where package.json is, and the scripts beside it.</param>
    /// <param name="target">An empty folder, which gets all of it.</param>
    /// <exception cref="InvalidOperationException">npm fails; the message says what it said.</exception>
    public static async Task RunAsync(string source, string target)
    {
        foreach (string file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        using var limit = new CancellationTokenSource(Limit);
        using Process npm = Process.Start(
            new ProcessStartInfo("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            {
                WorkingDirectory = target,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> output = npm.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> errors = npm.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await npm.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!npm.HasExited)
            {
                npm.Kill(entireProcessTree: true);
            }
        }

        if (npm.ExitCode != 0)
        {
            throw new InvalidOperationException($"npm ci failed: {await output} {await errors}");
        }
    }
}
