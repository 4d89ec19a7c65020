using Microsoft.Extensions.Options;

namespace GrayMQ.Client.Hosting;

/// <summary>Has a host refuse to start with wrong settings, and say all that is wrong with them.</summary>
internal sealed class ClientOptionsValidation<TOptions> : IValidateOptions<TOptions>
    where TOptions : ClientOptions
{
    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        IReadOnlyList<string> problems = options.Problems();
        return problems.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(problems.Select(problem => $"{typeof(TOptions).Name}: {problem}"));
    }
}
