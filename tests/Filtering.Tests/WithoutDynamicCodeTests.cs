using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using GrayMQ.Filtering.Compilation;
using GrayMQ.Filtering.Tests.Header;
using GrayMQ.Filtering.Tests.Sql92;

namespace GrayMQ.Filtering.Tests;

/// <summary>
/// Where no code can be made at run time (Native AOT), expressions become closures and mean the same. The runtime's switch for it is read once
/// in a process, so that the tests of what expressions mean run again in a process of their own.
/// </summary>
public sealed class WithoutDynamicCodeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly Type[] Again = [typeof(RocketMqAnswersTests), typeof(HeaderSemanticsTests), typeof(MadeCodeTests)];

    [Fact]
    public async Task WhatExpressionsMean_RunsAgainWithoutDynamicCode()
    {
        string tests = typeof(WithoutDynamicCodeTests).Assembly.Location;
        string settings = Path.ChangeExtension(tests, ".runtimeconfig.json");
        var config = JsonNode.Parse(await File.ReadAllTextAsync(settings, TestContext.Current.CancellationToken))!;
        JsonNode options = config["runtimeOptions"]!;
        options["configProperties"] ??= new JsonObject();
        options["configProperties"]!["System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported"] = false;
        string without = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".runtimeconfig.json");
        await File.WriteAllTextAsync(without, config.ToJsonString(), TestContext.Current.CancellationToken);
        try
        {
            var start = new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", without, tests])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (Type type in Again)
            {
                start.ArgumentList.Add("-class");
                start.ArgumentList.Add(type.FullName!);
            }

            using Process process = Process.Start(start)!;
            using var deadline = new CancellationTokenSource(Patience);
            string output;
            try
            {
                Task<string> errors = process.StandardError.ReadToEndAsync(deadline.Token);
                output = await process.StandardOutput.ReadToEndAsync(deadline.Token) + await errors;
                await process.WaitForExitAsync(deadline.Token);
            }
            finally
            {
                process.Kill(entireProcessTree: true);
            }

            Assert.True(process.ExitCode == 0, output);
            Assert.Matches(@"Total: [1-9]\d*, Errors: 0, Failed: 0, Skipped: 0", output);
        }
        finally
        {
            File.Delete(without);
        }
    }

    /// <summary>That code is made where it can be, and only there: in this process, and in the one without.</summary>
    public sealed class MadeCodeTests
    {
        [Fact]
        public void Compile_MakesCodeWhereTheRuntimeCan()
        {
            FilterExpression expression = FilterExpression.Parse(FilterLanguage.Header, "amount > 1 && region == 'eu'");
            MessagePredicate predicate = PredicateCompiler.Compile(expression.Root, expression.PropertyNames);

            Assert.Equal(RuntimeFeature.IsDynamicCodeSupported, predicate.Target is ShapeConstants);
            Assert.True(expression.Matches(Messages.Of("amount=2;region=eu")));
            Assert.False(expression.Matches(Messages.Of("amount=2;region=us")));
        }
    }
}
