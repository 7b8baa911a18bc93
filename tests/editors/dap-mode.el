;; emacs --batch -l dap-mode.el FILE LINE: as dape.el, with dap-mode, which reads launch.json
(package-initialize)
(require 'dap-ui)
;; What docs/debugging.md says
(require 'dap-python)
(setq dap-python-debugger 'debugpy)
(dap-register-debug-provider "debugpy" 'dap-python--populate-start-file-args)

;; The test edits the file, not this Emacs
(setq query-about-changed-file nil)

(defun pump () (accept-process-output nil 0.1) (sit-for 0.01))

(defun where ()
  (let ((frame (and (dap--cur-session) (dap--debug-session-active-frame (dap--cur-session)))))
    (and frame (gethash "path" (gethash "source" frame)) frame)))

(lsp-workspace-folders-add default-directory)
(find-file (pop command-line-args-left))
(goto-char (point-min))
(forward-line (1- (string-to-number (pop command-line-args-left))))
(dap-breakpoint-add)
(dap-debug (cdr (assoc "Attach" (dap-launch-find-parse-launch-json))))
(while (not (and (dap--cur-session) (eq (dap--debug-session-state (dap--cur-session)) 'running))) (pump))
(message "attached")
(dotimes (_ 2)
  (while (not (where)) (pump))
  (let ((frame (where)) (session (dap--cur-session)))
    (message "stopped %s %s %s" (gethash "name" frame) (gethash "line" frame) (gethash "path" (gethash "source" frame)))
    (dap-continue session (dap--debug-session-thread-id session))
    (while (where) (pump))))
(kill-emacs)
